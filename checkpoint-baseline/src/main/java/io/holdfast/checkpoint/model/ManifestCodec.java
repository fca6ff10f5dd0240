package io.holdfast.checkpoint.model;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.OptimizerSpec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * The manifest as JSON. It ends in a member of fixed length that holds the checksum of all bytes
 * before it, so that a damaged manifest is told from a good one although it stays JSON.
 */
final class ManifestCodec {
  private static final String FORMAT = "holdfast-model";
  private static final int VERSION = 1;

  /** So that a wrong file named manifest.json does not fill the memory. */
  private static final int BYTES_MAX = 16 << 20;

  private static final String BODY_END = "\n}";
  private static final String TAIL_START = ",\n  \"manifestCrc32c\" : \"";
  private static final String TAIL_END = "\"\n}\n";
  private static final int TAIL_BYTES = TAIL_START.length() + 8 + TAIL_END.length();

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .defaultSetterInfo(JsonSetter.Value.forContentNulls(Nulls.FAIL))
          .defaultPrettyPrinter(
              new DefaultPrettyPrinter().withObjectIndenter(new DefaultIndenter("  ", "\n")))
          .build();

  /** The JSON's members, in the order in which they are written. */
  private record Document(
      String format,
      int version,
      String holdfastVersion,
      String created,
      ModelSpec model,
      OptimizerSpec optimizer,
      long seed,
      IdMappingKind idMapping,
      long rows,
      long nnUpdates,
      List<SavedFile> files,
      String modelDigest,
      Map<String, String> settings) {}

  private ManifestCodec() {}

  /**
   * The manifest's bytes.
   *
   * @throws IOException if its settings are too long to be read again
   */
  static byte[] encode(Manifest manifest) throws IOException {
    ModelDescription description = manifest.description();
    Document document =
        new Document(
            FORMAT,
            VERSION,
            description.holdfastVersion(),
            description.created().toString(),
            description.model(),
            description.optimizer(),
            description.seed(),
            description.idMapping(),
            manifest.rows(),
            manifest.nnUpdates(),
            manifest.files(),
            manifest.modelDigest(),
            description.settings());
    String json = JSON.writerWithDefaultPrettyPrinter().writeValueAsString(document);
    String body = json.substring(0, json.length() - BODY_END.length());
    String checksum = checksum(body.getBytes(StandardCharsets.UTF_8));
    byte[] bytes = (body + TAIL_START + checksum + TAIL_END).getBytes(StandardCharsets.UTF_8);
    if (bytes.length > BYTES_MAX) {
      throw new IOException(
          "the manifest has " + bytes.length + " bytes, at most " + BYTES_MAX + " can be read");
    }
    return bytes;
  }

  /**
   * Reads a manifest.
   *
   * @throws SavedModelException if it is damaged, or not one of this version
   */
  static Manifest read(Path file) throws IOException {
    long length = Files.size(file);
    if (length > BYTES_MAX) {
      throw new SavedModelException(
          file, "has " + length + " bytes, a manifest has at most " + BYTES_MAX);
    }
    return decode(file, Files.readAllBytes(file));
  }

  private static Manifest decode(Path file, byte[] bytes) throws SavedModelException {
    String tail = tail(bytes);
    byte[] body = new byte[Math.max(0, bytes.length - TAIL_BYTES)];
    System.arraycopy(bytes, 0, body, 0, body.length);
    boolean complete = tail.startsWith(TAIL_START) && tail.endsWith(TAIL_END);
    if (complete) {
      requireChecksum(file, body, tail.substring(TAIL_START.length(), TAIL_START.length() + 8));
    }
    // A later version may end otherwise: it is told by its number, not called damaged.
    requireVersion(file, bytes);
    if (!complete) {
      throw new SavedModelException(
          file, "does not end in its checksum: it was cut off or changed after it was saved");
    }
    return parse(file, body);
  }

  private static String tail(byte[] bytes) {
    int length = Math.min(TAIL_BYTES, bytes.length);
    return new String(bytes, bytes.length - length, length, StandardCharsets.ISO_8859_1);
  }

  private static void requireChecksum(Path file, byte[] body, String told)
      throws SavedModelException {
    String found = checksum(body);
    if (!found.equals(told)) {
      throw new SavedModelException(
          file,
          "the checksum of its first "
              + body.length
              + " bytes is "
              + found
              + ", must be "
              + told
              + ": it was changed or damaged after it was saved");
    }
  }

  private static String checksum(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return SavedFile.hex(crc.getValue());
  }

  private static void requireVersion(Path file, byte[] bytes) throws SavedModelException {
    JsonNode json;
    try {
      json = JSON.readTree(bytes);
    } catch (JacksonException e) {
      throw new SavedModelException(file, "is not JSON: " + describe(e), e);
    } catch (IOException e) {
      throw new SavedModelException(file, "is not JSON: " + e.getMessage(), e);
    }
    if (!json.path("format").asText().equals(FORMAT)) {
      throw new SavedModelException(
          file, "is not the manifest of a saved model: its 'format' is not " + FORMAT);
    }
    JsonNode version = json.path("version");
    if (!version.isInt() || version.intValue() != VERSION) {
      throw new SavedModelException(
          file,
          "is of version "
              + version
              + " of the format, saved by Holdfast "
              + json.path("holdfastVersion").asText()
              + "; this Holdfast reads version "
              + VERSION);
    }
  }

  private static Manifest parse(Path file, byte[] body) throws SavedModelException {
    try {
      String json = new String(body, StandardCharsets.UTF_8) + BODY_END;
      Document document = JSON.readValue(json, Document.class);
      ModelDescription description =
          new ModelDescription(
              document.model,
              document.optimizer,
              document.seed,
              document.idMapping,
              document.holdfastVersion,
              Instant.parse(document.created),
              document.settings);
      return new Manifest(
          description, document.rows, document.nnUpdates, document.files, document.modelDigest);
    } catch (JsonProcessingException e) {
      throw new SavedModelException(file, describe(e), e);
    } catch (IllegalArgumentException | ArithmeticException | DateTimeException e) {
      throw new SavedModelException(file, e.getMessage(), e);
    }
  }

  private static String describe(JacksonException e) {
    if (e.getLocation() == null) {
      return e.getOriginalMessage();
    }
    return e.getOriginalMessage()
        + " (line "
        + e.getLocation().getLineNr()
        + ", column "
        + e.getLocation().getColumnNr()
        + ")";
  }
}
