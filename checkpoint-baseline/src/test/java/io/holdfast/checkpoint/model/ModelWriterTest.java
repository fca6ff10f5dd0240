package io.holdfast.checkpoint.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.model.OptimizerKind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelWriterTest {
  private final TestModel tiny = TestModel.tiny();

  @TempDir Path home;

  @Test
  void shouldWriteTheDocumentedBytes() throws IOException {
    Path saved = save(tiny, home.resolve("m")).directory();
    ByteBuffer rows = ByteBuffer.allocate(3 * 24).order(ByteOrder.LITTLE_ENDIAN);
    rows.putLong(0).putInt(1).putFloat(0.5f).putFloat(-0.25f).putFloat(2);
    rows.putLong(3).putInt(7).putFloat(-0.0f).putFloat(1e-40f).putFloat(3);
    rows.putLong(6).putInt(2).putFloat(1.5f).putFloat(3.25f).putFloat(0.125f);
    assertArrayEquals(rows.array(), Files.readAllBytes(saved.resolve("rows.bin")));
    ByteBuffer nn = ByteBuffer.allocate(8 + 18 * 4).order(ByteOrder.LITTLE_ENDIAN);
    nn.putLong(41);
    for (int weight = 1; weight <= 9; weight++) {
      nn.putFloat(weight);
    }
    for (int state = 1; state <= 9; state++) {
      nn.putFloat(state / 10f);
    }
    assertArrayEquals(nn.array(), Files.readAllBytes(saved.resolve("nn.bin")));
  }

  /** Models saved by this version must stay readable: the text is pinned. */
  @Test
  void shouldWriteTheDocumentedManifest() throws IOException {
    Path saved = save(tiny, home.resolve("m")).directory();
    assertEquals(PinnedManifest.TEXT, Files.readString(saved.resolve("manifest.json")));
  }

  @Test
  void shouldLeaveOnlyTheModel() throws IOException {
    save(tiny, home.resolve("m"));
    assertEquals(List.of("m"), names(home));
    assertEquals(List.of("manifest.json", "nn.bin", "rows.bin"), names(home.resolve("m")));
  }

  @Test
  void shouldMakeMissingParents() throws IOException {
    Path deep = home.resolve("a/b/m");
    save(tiny, deep);
    assertEquals(tiny.digestHex(), SavedModel.open(deep).manifest().modelDigest());
  }

  @Test
  void shouldTakeAnEmptyDirectory() throws IOException {
    Path empty = Files.createDirectory(home.resolve("m"));
    save(tiny, empty);
    assertEquals(tiny.digestHex(), SavedModel.open(empty).manifest().modelDigest());
  }

  @Test
  void shouldTakeALinkToAnEmptyDirectory() throws IOException {
    Path empty = Files.createDirectory(home.resolve("real"));
    Path link = Files.createSymbolicLink(home.resolve("link"), empty);
    save(tiny, link);
    assertEquals(tiny.digestHex(), SavedModel.open(link).manifest().modelDigest());
    assertTrue(Files.isSymbolicLink(link));
  }

  @Test
  void shouldNeverOverwrite() throws IOException {
    Path full = save(tiny, home.resolve("m")).directory();
    Path file = Files.writeString(home.resolve("file"), "mine");
    for (Path taken : List.of(full, file)) {
      FileAlreadyExistsException e =
          assertThrows(
              FileAlreadyExistsException.class,
              () -> ModelWriter.create(taken, tiny.description()));
      assertTrue(e.getMessage().startsWith(taken.toString()), e.getMessage());
    }
    SavedModel.open(full).verify((done, total) -> {});
    assertEquals("mine", Files.readString(file));
    assertEquals(List.of("file", "m"), names(home));
  }

  @Test
  void shouldNotOverwriteWhatAppearedMeanwhile() throws IOException {
    Path directory = home.resolve("m");
    try (ModelWriter writer = ModelWriter.create(directory, tiny.description())) {
      tiny.tell(writer);
      Files.createDirectory(directory);
      Files.writeString(directory.resolve("other"), "mine");
      assertThrows(FileAlreadyExistsException.class, writer::commit);
    }
    assertEquals(List.of("m"), names(home));
    assertEquals(List.of("other"), names(directory));
  }

  @Test
  void shouldRemoveWhatWasNotCommitted() throws IOException {
    try (ModelWriter writer = ModelWriter.create(home.resolve("m"), tiny.description())) {
      tiny.tell(writer);
      assertEquals(1, names(home).size());
    }
    assertEquals(List.of(), names(home));
  }

  @Test
  void shouldBeInvisibleBeforeCommit() throws IOException {
    try (ModelWriter writer = ModelWriter.create(home.resolve("m"), tiny.description())) {
      tiny.tell(writer);
      assertFalse(Files.exists(home.resolve("m")));
      writer.commit();
    }
    assertTrue(Files.exists(home.resolve("m")));
  }

  @Test
  void shouldNotCommitHalfAModel() throws IOException {
    try (ModelWriter writer = ModelWriter.create(home.resolve("m"), tiny.description())) {
      writer.row(0, 1, MemorySegment.ofArray(new float[3]), 0);
      assertThrows(IllegalStateException.class, writer::commit);
    }
    assertEquals(List.of(), names(home));
  }

  @Test
  void shouldNotCommitAfterAnOrderViolation() throws IOException {
    MemorySegment values = MemorySegment.ofArray(new float[3]);
    try (ModelWriter writer = ModelWriter.create(home.resolve("m"), tiny.description())) {
      writer.row(3, 1, values, 0);
      assertThrows(IllegalArgumentException.class, () -> writer.row(2, 1, values, 0));
      IllegalStateException e = assertThrows(IllegalStateException.class, writer::commit);
      assertTrue(e.getMessage().contains("failed"), e.getMessage());
    }
    assertEquals(List.of(), names(home));
  }

  @Test
  void shouldNotCommitTwice() throws IOException {
    try (ModelWriter writer = ModelWriter.create(home.resolve("m"), tiny.description())) {
      tiny.tell(writer);
      writer.commit();
      assertThrows(IllegalStateException.class, writer::commit);
    }
    SavedModel.open(home.resolve("m")).verify((done, total) -> {});
  }

  /** /dev/full answers every write as a full disk does. */
  @ParameterizedTest
  @ValueSource(strings = {"rows.bin", "nn.bin", "manifest.json"})
  @EnabledOnOs(OS.LINUX)
  void shouldReportAFullDiskAndLeaveNothing(String full) throws IOException {
    try (ModelWriter writer =
        ModelWriter.create(home.resolve("m"), tiny.description(), opener(full))) {
      IOException e =
          assertThrows(
              IOException.class,
              () -> {
                try {
                  tiny.tell(writer);
                  writer.commit();
                } catch (UncheckedIOException unchecked) {
                  throw unchecked.getCause();
                }
              });
      assertTrue(e.getMessage().contains(full + ": writing failed at byte 0"), e.getMessage());
      assertTrue(e.getMessage().contains("No space left"), e.getMessage());
    }
    assertEquals(List.of(), names(home));
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void shouldReportAFullDiskWhileRowsCome() throws IOException {
    long seed = new Random().nextLong();
    // More rows than the buffer holds.
    TestModel large = TestModel.random(new Random(seed), OptimizerKind.ADAM, 16, 10_000);
    try (ModelWriter writer =
        ModelWriter.create(home.resolve("m"), large.description(), opener("rows.bin"))) {
      UncheckedIOException e =
          assertThrows(UncheckedIOException.class, () -> large.tell(writer), "seed " + seed);
      assertTrue(e.getMessage().contains("rows.bin"), e.getMessage());
      assertThrows(IllegalStateException.class, writer::commit);
    }
    assertEquals(List.of(), names(home));
  }

  @Test
  void shouldLeaveNothingIfFilesCannotBeMade() {
    assertThrows(
        IOException.class,
        () ->
            ModelWriter.create(
                home.resolve("m"),
                tiny.description(),
                file -> {
                  throw new IOException("no more files");
                }));
    assertEquals(List.of(), names(home));
  }

  private static ModelWriter.FileOpener opener(String full) {
    return file ->
        file.endsWith(full)
            ? FileChannel.open(Path.of("/dev/full"), StandardOpenOption.WRITE)
            : FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
  }

  static SavedModel save(TestModel model, Path directory) throws IOException {
    try (ModelWriter writer = ModelWriter.create(directory, model.description())) {
      model.tell(writer);
      return writer.commit();
    }
  }

  private static List<String> names(Path directory) {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
