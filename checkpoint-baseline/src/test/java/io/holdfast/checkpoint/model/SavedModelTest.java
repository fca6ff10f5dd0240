package io.holdfast.checkpoint.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.model.ModelVisitor;
import io.holdfast.config.model.OptimizerKind;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class SavedModelTest {
  private static final ModelVisitor IGNORE =
      new ModelVisitor() {
        @Override
        public void row(long row, int updates, MemorySegment values, long offsetBytes) {}

        @Override
        public void nn(long updates, MemorySegment weights, MemorySegment state) {}
      };

  private final TestModel tiny = TestModel.tiny();
  private Path saved;

  @TempDir Path home;

  @BeforeEach
  void save() throws IOException {
    saved = ModelWriterTest.save(tiny, home.resolve("tiny")).directory();
  }

  @ParameterizedTest
  @EnumSource(OptimizerKind.class)
  void shouldGiveBackWhatWasSaved(OptimizerKind kind) throws IOException {
    long seed = new Random().nextLong();
    // Odd widths and more bytes than buffers hold, so that records cross the buffers' ends.
    TestModel model = TestModel.random(new Random(seed), kind, 17, 16_000);
    Path directory = ModelWriterTest.save(model, home.resolve("m")).directory();
    SavedModel opened = SavedModel.open(directory);
    assertEquals(model.description(), opened.manifest().description(), "seed " + seed);
    assertEquals(model.rows().size(), opened.manifest().rows(), "seed " + seed);
    assertEquals(model.nnUpdates(), opened.manifest().nnUpdates(), "seed " + seed);
    TestModel.Recorder recorder = new TestModel.Recorder(model.spec(), model.optimizer());
    ModelDigest digest = model.digest();
    opened.visit(new TeeVisitor(recorder, digest));
    assertEquals(model, recorder.model(), "seed " + seed);
    assertEquals(opened.manifest().modelDigest(), digest.hex(), "seed " + seed);
  }

  @Test
  void shouldReadTheManifestOfVersion1() throws IOException {
    Files.writeString(saved.resolve("manifest.json"), PinnedManifest.TEXT);
    SavedModel opened = SavedModel.open(saved);
    assertEquals(tiny.description(), opened.manifest().description());
    assertEquals(tiny.digestHex(), opened.manifest().modelDigest());
    opened.visit(IGNORE);
  }

  @Test
  void shouldGiveBackAModelWithoutRows() throws IOException {
    TestModel fresh =
        new TestModel(
            tiny.spec(), tiny.optimizer(), List.of(), 0, tiny.nnWeights(), tiny.nnState());
    Path directory = ModelWriterTest.save(fresh, home.resolve("fresh")).directory();
    TestModel.Recorder recorder = new TestModel.Recorder(fresh.spec(), fresh.optimizer());
    SavedModel.open(directory).visit(recorder);
    assertEquals(fresh, recorder.model());
  }

  @Test
  void shouldTellProgressWhileVerifying() throws IOException {
    SavedModel opened = SavedModel.open(saved);
    List<Long> told = new ArrayList<>();
    opened.verify(
        (done, total) -> {
          assertEquals(opened.bytes(), total);
          told.add(done);
        });
    assertEquals(List.of(72L, 72L + 80L), told);
  }

  @ParameterizedTest
  @ValueSource(strings = {"rows.bin", "nn.bin"})
  void shouldFindEveryFlippedByte(String name) throws IOException {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    byte[] good = Files.readAllBytes(saved.resolve(name));
    SavedModel opened = SavedModel.open(saved);
    for (int at = 0; at < good.length; at++) {
      writeFlipped(name, good, at, random);
      requireRefused(name, () -> opened.verify((done, total) -> {}));
      requireRefused(name, () -> opened.visit(IGNORE));
    }
    Files.write(saved.resolve(name), good);
    opened.verify((done, total) -> {});
  }

  @Test
  void shouldFindEveryFlippedByteOfTheManifest() throws IOException {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    byte[] good = Files.readAllBytes(saved.resolve("manifest.json"));
    for (int at = 0; at < good.length; at++) {
      writeFlipped("manifest.json", good, at, random);
      requireRefused("manifest.json", () -> SavedModel.open(saved));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"rows.bin", "nn.bin", "manifest.json"})
  void shouldFindEveryTruncation(String name) throws IOException {
    byte[] good = Files.readAllBytes(saved.resolve(name));
    SavedModel opened = SavedModel.open(saved);
    for (int length = 0; length < good.length; length++) {
      Files.write(saved.resolve(name), Arrays.copyOf(good, length));
      requireRefused(name, () -> SavedModel.open(saved));
      if (!name.equals("manifest.json")) {
        requireRefused(name, () -> opened.verify((done, total) -> {}));
        requireRefused(name, () -> opened.visit(IGNORE));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"rows.bin", "nn.bin", "manifest.json"})
  void shouldFindAppendedBytes(String name) throws IOException {
    byte[] good = Files.readAllBytes(saved.resolve(name));
    SavedModel opened = SavedModel.open(saved);
    Files.write(saved.resolve(name), Arrays.copyOf(good, good.length + 1));
    requireRefused(name, () -> SavedModel.open(saved));
    if (!name.equals("manifest.json")) {
      requireRefused(name, () -> opened.verify((done, total) -> {}));
      requireRefused(name, () -> opened.visit(IGNORE));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"rows.bin", "nn.bin", "manifest.json"})
  void shouldNameAMissingFile(String name) throws IOException {
    SavedModel opened = SavedModel.open(saved);
    Files.delete(saved.resolve(name));
    requireRefused(name, () -> SavedModel.open(saved));
    if (!name.equals("manifest.json")) {
      requireRefused(name, () -> opened.verify((done, total) -> {}));
      requireRefused(name, () -> opened.visit(IGNORE));
    }
  }

  @Test
  void shouldSayWhereTheLengthIsWrong() throws IOException {
    byte[] good = Files.readAllBytes(saved.resolve("rows.bin"));
    Files.write(saved.resolve("rows.bin"), Arrays.copyOf(good, 30));
    SavedModelException e = assertThrows(SavedModelException.class, () -> SavedModel.open(saved));
    assertTrue(e.getMessage().contains("has 30 bytes, must have 72"), e.getMessage());
  }

  @Test
  void shouldSayWhichRecordIsOutOfOrder() throws IOException {
    byte[] bytes = Files.readAllBytes(saved.resolve("rows.bin"));
    bytes[24] = 0;
    Files.write(saved.resolve("rows.bin"), bytes);
    SavedModel opened = SavedModel.open(saved);
    SavedModelException e = assertThrows(SavedModelException.class, () -> opened.visit(IGNORE));
    assertTrue(e.getMessage().contains("record 1 at byte 24"), e.getMessage());
  }

  @Test
  void shouldRefuseWhatIsNoDirectory() throws IOException {
    requireRefused("nowhere", () -> SavedModel.open(home.resolve("nowhere")));
    Path file = Files.writeString(home.resolve("file"), "");
    requireRefused("file", () -> SavedModel.open(file));
    Path other = Files.createDirectory(home.resolve("other"));
    requireRefused("manifest.json", () -> SavedModel.open(other));
  }

  @Test
  void shouldNameAnotherVersion() throws IOException {
    String other = PinnedManifest.TEXT.replace("\"version\" : 1", "\"version\" : 2");
    for (String text : List.of(sealed(other), "{\"format\":\"holdfast-model\",\"version\":2}")) {
      Files.writeString(saved.resolve("manifest.json"), text);
      SavedModelException e = assertThrows(SavedModelException.class, () -> SavedModel.open(saved));
      assertTrue(e.getMessage().contains("of version 2"), e.getMessage());
      assertTrue(e.getMessage().contains("reads version 1"), e.getMessage());
    }
  }

  @Test
  void shouldRefuseAManifestThatContradictsItself() throws IOException {
    String[][] changes = {
      {"\"rows\" : 3,", "\"rows\" : 4,", "rows.bin has 72 bytes, but this model needs 96"},
      {"\"rows\" : 3,", "\"rows\" : -3,", "-3 rows"},
      {"\"nnUpdates\" : 41", "\"nnUpdates\" : 4.5", "(line "},
      {"\"nnUpdates\" : 41", "\"nnUpdates\" : null", "line 31, column 17"},
      {"\"preset\" : \"tiny\"", "\"preset\" : null", "(line "},
      {"\"tables\" : [ {", "\"tables\" : [ null, {", "(line "},
      {"\"files\" : [ {", "\"files\" : [ null, {", "(line "},
      {"\"rows\" : 4\n", "\"rows\" : 9223372036854775807\n", "rows"},
      {"\"bottom\" : [ 1, 2 ]", "\"bottom\" : [ 2147483647, 2 ]", "overflow"},
      {"\"version\" : 1,", "\"version\" : 1, \"version\" : 1,", "uplicate"},
      {"\"dim\" : 2", "\"dim\" : 4", "must end in the embedding width 4"},
      {"\"seed\" : -42", "\"sead\" : -42", "'seed'"},
      {"\"seed\" : -42", "\"seed\" : -42, \"extra\" : 1", "extra"},
      {"\"hash\"", "\"sideways\"", "sideways"},
      {"\"nn.bin\"", "\"../x\"", "must be rows.bin and nn.bin"},
      {"2026-01-02T", "2026-13-02T", "2026-13-02T"},
      {"\"holdfast-model\"", "\"holdfast\"", "not the manifest of a saved model"},
    };
    for (String[] change : changes) {
      assertTrue(PinnedManifest.TEXT.contains(change[0]), change[0]);
      String text = sealed(PinnedManifest.TEXT.replace(change[0], change[1]));
      Files.writeString(saved.resolve("manifest.json"), text);
      SavedModelException e =
          assertThrows(SavedModelException.class, () -> SavedModel.open(saved), change[1]);
      assertTrue(e.getMessage().contains(change[2]), change[1] + ": " + e.getMessage());
    }
  }

  /** The manifest with the checksum that belongs to its changed text. */
  private static String sealed(String text) {
    int end = text.indexOf(",\n  \"manifestCrc32c\"");
    CRC32C crc = new CRC32C();
    crc.update(text.substring(0, end).getBytes(StandardCharsets.UTF_8));
    String checksum = SavedFile.hex(crc.getValue());
    return text.substring(0, end) + ",\n  \"manifestCrc32c\" : \"" + checksum + "\"\n}\n";
  }

  private void writeFlipped(String name, byte[] good, int at, Random random) throws IOException {
    byte[] bad = good.clone();
    bad[at] ^= (byte) (1 + random.nextInt(255));
    Files.write(saved.resolve(name), bad);
  }

  private static void requireRefused(String name, ThrowingStep step) {
    SavedModelException e = assertThrows(SavedModelException.class, step::run);
    assertTrue(e.getMessage().contains(name + ": "), e.getMessage());
  }

  private interface ThrowingStep {
    void run() throws IOException;
  }
}
