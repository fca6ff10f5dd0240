package io.holdfast.criteo;

import com.github.luben.zstd.ZstdCompressCtx;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;

/** Makes and plainly parses lines for tests. */
final class TestLines {
  /** What a line says; categories as signed ints. */
  record Sample(float label, List<Float> dense, List<Integer> categories) {}

  private TestLines() {}

  /** A valid line without line end. */
  static String line(SplittableRandom random) {
    List<String> fields = new ArrayList<>();
    fields.add(random.nextBoolean() ? "1" : "0");
    for (int i = 0; i < 13; i++) {
      fields.add(
          switch (random.nextInt(6)) {
            case 0 -> "";
            case 1 -> "-" + random.nextInt(10);
            case 2 -> Integer.toString(random.nextInt());
            case 3 -> Integer.toString(random.nextInt(100_000));
            default -> Integer.toString(random.nextInt(100));
          });
    }
    for (int i = 0; i < 26; i++) {
      int value = random.nextInt() >>> (random.nextInt(4) == 0 ? random.nextInt(32) : 0);
      String hex = Integer.toHexString(value);
      if (random.nextInt(4) != 0) {
        hex = "0".repeat(8 - hex.length()) + hex;
      }
      fields.add(
          random.nextInt(8) == 0
              ? ""
              : random.nextInt(4) == 0 ? hex.toUpperCase(Locale.ROOT) : hex);
    }
    return String.join("\t", fields);
  }

  static List<String> lines(long seed, int count) {
    SplittableRandom random = new SplittableRandom(seed);
    return IntStream.range(0, count).mapToObj(i -> line(random)).toList();
  }

  /** A line whose first category tells its number. */
  static String numbered(int number) {
    return "0\t" + "\t".repeat(13) + Integer.toHexString(number) + "\t".repeat(25);
  }

  static Sample parse(String line) {
    String[] fields = line.split("\t", -1);
    List<Float> dense =
        Arrays.stream(fields, 1, 14)
            .map(
                f ->
                    f.isEmpty()
                        ? 0f
                        : (float) StrictMath.log(1.0 + Math.max(0, Integer.parseInt(f))))
            .toList();
    List<Integer> categories =
        Arrays.stream(fields, 14, 40)
            .map(f -> f.isEmpty() ? 0 : Integer.parseUnsignedInt(f, 16))
            .toList();
    return new Sample(fields[0].equals("1") ? 1f : 0f, dense, categories);
  }

  static Sample sample(CriteoBatch batch, int index) {
    return new Sample(
        batch.labels()[index],
        IntStream.range(0, 13).mapToObj(i -> batch.dense()[index * 13 + i]).toList(),
        IntStream.range(0, 26).mapToObj(i -> batch.ids()[index * 26 + i]).toList());
  }

  static byte[] bytes(List<String> lines, String lineEnd, boolean finalEnd) {
    String text = lines.stream().collect(Collectors.joining(lineEnd)) + (finalEnd ? lineEnd : "");
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  /** Gzip in some members of about equal size. */
  static byte[] gzip(byte[] bytes, int members) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 0; i < members; i++) {
      int from = bytes.length * i / members;
      int to = bytes.length * (i + 1) / members;
      try (GZIPOutputStream member = new GZIPOutputStream(out)) {
        member.write(bytes, from, to - from);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return out.toByteArray();
  }

  /** Zstd in some frames with checksums. */
  static byte[] zstd(byte[] bytes, int frames) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 0; i < frames; i++) {
      int from = bytes.length * i / frames;
      int to = bytes.length * (i + 1) / frames;
      try (ZstdCompressCtx context = new ZstdCompressCtx()) {
        context.setChecksum(true);
        out.writeBytes(context.compress(Arrays.copyOfRange(bytes, from, to)));
      }
    }
    return out.toByteArray();
  }

  static Path write(Path file, byte[] bytes) {
    try {
      return Files.write(file, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static CriteoSource open(Path... files) {
    List<String> paths = Arrays.stream(files).map(Path::toString).toList();
    return CriteoSource.open(paths, SourceOptions.defaults());
  }

  /** A mapping that keeps values below 2^31-1 as they are. */
  static IdMapping wide() {
    long[] rows = new long[26];
    Arrays.fill(rows, Integer.MAX_VALUE);
    return new IdMapping(IdMapping.Kind.MODULO, rows);
  }

  /** Everything that a reader still has. */
  static List<Sample> drain(SampleReader reader, int capacity) {
    CriteoBatch batch = new CriteoBatch(capacity);
    List<Sample> samples = new ArrayList<>();
    while (reader.read(batch) > 0) {
      for (int i = 0; i < batch.size(); i++) {
        samples.add(sample(batch, i));
      }
    }
    return samples;
  }
}
