package io.holdfast.criteo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.criteo.BatchCache.Check;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BatchCacheTest {
  private static final List<String> LINES = TestLines.lines(21, 10_000);

  @TempDir Path directory;
  private Path first;
  private Path second;
  private Path cache;

  @BeforeEach
  void writeCache() {
    byte[] head = TestLines.bytes(LINES.subList(0, 6001), "\n", true);
    byte[] tail = TestLines.bytes(LINES.subList(6001, 10_000), "\n", false);
    first = TestLines.write(directory.resolve("first.gz"), TestLines.gzip(head, 2));
    second = TestLines.write(directory.resolve("second"), tail);
    cache = directory.resolve("rows.cache");
    write(BadLinePolicy.fail());
  }

  private void write(BadLinePolicy policy) {
    try (CriteoSource source = TestLines.open(first, second)) {
      BatchCache.write(cache, source, policy, Progress.NONE);
    }
  }

  private BatchCache open(BadLinePolicy policy, Check check) throws CacheRefusedException {
    List<InputFile> inputs = InputFiles.find(List.of(first.toString(), second.toString()));
    return BatchCache.open(cache, inputs, policy, check, Progress.NONE);
  }

  private void assertRefused(Check check, String reason) {
    Exception e =
        assertThrows(CacheRefusedException.class, () -> open(BadLinePolicy.fail(), check).close());
    assertTrue(e.getMessage().contains(reason), e.getMessage());
  }

  @Test
  void shouldHoldWhatTheFilesHoldForEveryMapping() throws Exception {
    long[] rows = new long[26];
    Arrays.fill(rows, 1000);
    for (IdMapping.Kind kind : IdMapping.Kind.values()) {
      IdMapping mapping = new IdMapping(kind, rows);
      try (BatchCache cached = open(BadLinePolicy.fail(), Check.FULL);
          CriteoSource source = TestLines.open(first, second)) {
        assertEquals(10_000, cached.length());
        assertEquals(read(source, mapping, 4321), read(cached, mapping, 777));
      }
    }
  }

  private static List<TestLines.Sample> read(SampleSource source, IdMapping mapping, long length) {
    List<TestLines.Sample> samples = new ArrayList<>();
    for (Split split : source.splits(0, source.length(), length)) {
      try (SampleReader reader = source.reader(split, mapping, BadLinePolicy.fail())) {
        samples.addAll(TestLines.drain(reader, 100));
      }
    }
    return samples;
  }

  @Test
  void shouldResumeAtARow() throws Exception {
    try (BatchCache cached = open(BadLinePolicy.fail(), Check.HEADER)) {
      Split split = new Split(0, 10, 500);
      CriteoBatch batch = new CriteoBatch(123);
      SampleReader reader = cached.reader(split, TestLines.wide(), BadLinePolicy.fail());
      reader.read(batch);
      assertEquals(133, reader.position());
      SampleReader rest = cached.reader(split.from(133), TestLines.wide(), BadLinePolicy.fail());
      assertEquals(TestLines.drain(reader, 100), TestLines.drain(rest, 7));
      assertEquals(500, rest.position());
    }
  }

  @Test
  void shouldBeRefusedForOtherFiles() throws IOException {
    FileTime time = Files.getLastModifiedTime(second);
    Files.setLastModifiedTime(second, FileTime.fromMillis(time.toMillis() + 1000));
    assertRefused(Check.HEADER, "made from other files");
    Files.setLastModifiedTime(second, time);
    Files.write(second, new byte[] {'\n'}, java.nio.file.StandardOpenOption.APPEND);
    Files.setLastModifiedTime(second, time);
    assertRefused(Check.HEADER, "made from other files");
  }

  @Test
  void shouldBeRefusedWhereverItIsDamaged() throws IOException {
    byte[] good = Files.readAllBytes(cache);
    for (int at : new int[] {0, 8, 12, 20, 50, 4090, 5000, good.length / 2, good.length - 1}) {
      byte[] bad = good.clone();
      bad[at] ^= 0x10;
      Files.write(cache, bad);
      assertRefused(Check.FULL, "is not used: ");
    }
    byte[] bad = good.clone();
    bad[CacheHeader.ALIGNMENT + 5000 * CacheHeader.ROW_BYTES] ^= 1;
    Files.write(cache, bad);
    assertRefused(Check.FULL, "rows from 4096 are damaged");
    for (int length : new int[] {0, 7, 100, 4096, good.length - 1}) {
      Files.write(cache, Arrays.copyOf(good, length));
      assertRefused(Check.HEADER, "");
    }
    Files.write(cache, Arrays.copyOf(good, good.length + 1));
    assertRefused(Check.HEADER, "truncated or damaged");
    Files.delete(cache);
    assertRefused(Check.HEADER, "there is no cache");
  }

  @Test
  void shouldRememberTheBadLinesThatWereLeftOut() throws Exception {
    List<String> lines = new ArrayList<>(LINES);
    lines.add(17, "nonsense");
    TestLines.write(second, TestLines.bytes(lines, "\n", true));
    assertThrows(CriteoDataException.class, () -> write(BadLinePolicy.fail()));
    write(BadLinePolicy.skip(5));
    try (BatchCache cached = open(BadLinePolicy.skip(1), Check.FULL)) {
      assertEquals(16_001, cached.length());
      assertEquals(1, cached.badLines());
    }
    assertRefused(Check.HEADER, "1 bad lines were left out when it was written, 0 are allowed");
  }

  @Test
  void shouldLeaveNothingBehindWhenWritingFails() throws IOException {
    byte[] before = Files.readAllBytes(cache);
    TestLines.write(second, TestLines.bytes(List.of("nonsense"), "\n", true));
    assertThrows(CriteoDataException.class, () -> write(BadLinePolicy.fail()));
    assertEquals(-1, Arrays.mismatch(before, Files.readAllBytes(cache)));
    try (java.util.stream.Stream<Path> files = Files.list(directory)) {
      assertFalse(files.anyMatch(f -> f.toString().endsWith(".tmp")));
    }
  }
}
