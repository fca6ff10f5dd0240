package io.holdfast.criteo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CriteoSourceTest {
  @TempDir Path directory;

  private static List<Integer> numbers(int count) {
    return IntStream.range(0, count).boxed().toList();
  }

  /** Numbered lines padded to different lengths. */
  private static List<String> numbered(int from, int to, SplittableRandom random) {
    List<String> lines = new ArrayList<>();
    for (int i = from; i < to; i++) {
      String filled = "\tdeadbeef".repeat(random.nextInt(26));
      String empty = "\t".repeat(25 - filled.length() / 9);
      lines.add("1\t" + "\t".repeat(13) + Integer.toHexString(i) + filled + empty);
    }
    return lines;
  }

  private static List<Integer> firstCategories(List<TestLines.Sample> samples) {
    return samples.stream().map(s -> s.categories().get(0)).toList();
  }

  @Test
  void shouldYieldEveryLineOnceWhateverTheCuts() {
    for (int trial = 0; trial < 60; trial++) {
      SplittableRandom random = new SplittableRandom(trial);
      String end = random.nextBoolean() ? "\n" : "\r\n";
      List<Path> files = new ArrayList<>();
      int count = 0;
      for (int file = 0; file <= random.nextInt(3); file++) {
        // Beyond the window of 256 KiB in some trials.
        int lines = 1 + random.nextInt(trial % 10 == 0 ? 3000 : 60);
        byte[] bytes =
            TestLines.bytes(numbered(count, count + lines, random), end, random.nextBoolean());
        count += lines;
        byte[] stored =
            switch (random.nextInt(3)) {
              case 0 -> TestLines.gzip(bytes, 1 + random.nextInt(3));
              case 1 -> TestLines.zstd(bytes, 1 + random.nextInt(3));
              default -> bytes;
            };
        files.add(TestLines.write(directory.resolve("t" + trial + "f" + file), stored));
      }
      try (CriteoSource source = TestLines.open(files.toArray(Path[]::new))) {
        long mean = trial % 10 == 0 ? 20_000 : 200;
        List<Integer> read = readInPieces(source, mean, random);
        assertEquals(numbers(count), read, "trial " + trial);
      }
    }
  }

  /** Reads splits of random lengths, each by several successive readers of random batches. */
  private static List<Integer> readInPieces(
      CriteoSource source, long meanSplit, SplittableRandom random) {
    List<Integer> read = new ArrayList<>();
    for (long from = 0; from < source.length(); ) {
      long to = Math.min(source.length(), from + 1 + random.nextLong(2 * meanSplit));
      for (Split split : source.splits(from, to, 1 + random.nextLong(meanSplit))) {
        for (boolean more = true; more; ) {
          try (SampleReader reader = source.reader(split, TestLines.wide(), BadLinePolicy.fail())) {
            CriteoBatch batch = new CriteoBatch(1 + random.nextInt(20));
            more = reader.read(batch) > 0;
            for (int i = 0; i < batch.size(); i++) {
              read.add(batch.ids()[i * 26]);
            }
            split = split.from(reader.position());
          }
        }
      }
      from = to;
    }
    return read;
  }

  @Test
  void shouldGoBackInCompressedFilesToo() {
    byte[] bytes = TestLines.bytes(numbered(0, 5000, new SplittableRandom(3)), "\n", true);
    Path file = TestLines.write(directory.resolve("back.gz"), TestLines.gzip(bytes, 2));
    try (CriteoSource source = TestLines.open(file)) {
      List<Split> splits = source.splits(0, source.length(), 50_000);
      List<List<Integer>> read = new ArrayList<>();
      for (Split split : splits.reversed()) {
        try (SampleReader reader = source.reader(split, TestLines.wide(), BadLinePolicy.fail())) {
          read.add(firstCategories(TestLines.drain(reader, 64)));
        }
      }
      assertEquals(numbers(5000), read.reversed().stream().flatMap(List::stream).toList());
    }
  }

  @Test
  void shouldReadTheSameFromPlainGzipAndZstd() {
    List<String> lines = TestLines.lines(5, 2000);
    byte[] bytes = TestLines.bytes(lines, "\n", true);
    Path plain = TestLines.write(directory.resolve("a.tsv"), bytes);
    Path gzip = TestLines.write(directory.resolve("a.gz"), TestLines.gzip(bytes, 3));
    Path zstd = TestLines.write(directory.resolve("a.zst"), TestLines.zstd(bytes, 2));
    for (Path file : List.of(plain, gzip, zstd)) {
      try (CriteoSource source = TestLines.open(file)) {
        assertEquals(bytes.length, source.length());
        Split all = new Split(0, 0, source.length());
        try (SampleReader reader = source.rawReader(all, BadLinePolicy.fail())) {
          List<TestLines.Sample> read = TestLines.drain(reader, 100);
          assertEquals(lines.stream().map(TestLines::parse).toList(), read, file.toString());
          assertEquals(bytes.length, reader.position());
        }
      }
    }
  }

  @Test
  void shouldMapIdsByTheMapping() {
    List<String> lines = TestLines.lines(6, 100);
    Path file = TestLines.write(directory.resolve("m"), TestLines.bytes(lines, "\n", true));
    long[] rows = new long[26];
    java.util.Arrays.setAll(rows, c -> 10 + c);
    for (IdMapping.Kind kind : IdMapping.Kind.values()) {
      IdMapping mapping = new IdMapping(kind, rows);
      try (CriteoSource source = TestLines.open(file);
          SampleReader reader =
              source.reader(new Split(0, 0, source.length()), mapping, BadLinePolicy.fail())) {
        List<TestLines.Sample> read = TestLines.drain(reader, 100);
        for (int i = 0; i < lines.size(); i++) {
          List<Integer> raw = TestLines.parse(lines.get(i)).categories();
          for (int column = 0; column < 26; column++) {
            int row = mapping.row(column, raw.get(column));
            assertEquals(row, read.get(i).categories().get(column));
            assertTrue(row >= 0 && row < rows[column]);
          }
        }
      }
    }
  }

  @Test
  void shouldReadMeasuredFilesWithoutAnotherScan() throws Exception {
    byte[] bytes = TestLines.bytes(numbered(0, 100, new SplittableRandom(3)), "\n", true);
    Path file = TestLines.write(directory.resolve("x.gz"), TestLines.gzip(bytes, 1));
    List<InputFile> inputs;
    long[] lengths;
    try (CriteoSource source = TestLines.open(file)) {
      inputs = source.inputs();
      lengths = source.lengths();
    }
    try (CriteoSource source = CriteoSource.measured(inputs, lengths);
        SampleReader reader =
            source.reader(new Split(0, 0, lengths[0]), TestLines.wide(), BadLinePolicy.fail())) {
      assertEquals(100, TestLines.drain(reader, 7).size());
    }
    Files.write(file, TestLines.gzip(bytes, 2));
    Exception e =
        assertThrows(
            CriteoDataException.class, () -> CriteoSource.measured(inputs, lengths).close());
    assertTrue(e.getMessage().contains("has changed"), e.getMessage());
  }

  @Test
  void shouldFindFilesByGlobInOrder() throws Exception {
    byte[] one = TestLines.bytes(List.of(TestLines.numbered(1)), "\n", true);
    Files.createDirectories(directory.resolve("deep"));
    for (String name : List.of("day_1", "day_0.gz", "day_10", "night", "deep/day_2")) {
      TestLines.write(directory.resolve(name), name.endsWith(".gz") ? TestLines.gzip(one, 1) : one);
    }
    assertEquals(List.of("day_0.gz", "day_1", "day_10"), names(directory + "/day_*"));
    assertEquals(List.of("day_0.gz", "day_1"), names(directory + "/day_?{,.gz}"));
    assertEquals(List.of("day_2"), names(directory + "/**/day_*"));
    assertEquals(List.of("night", "day_1"), names(directory + "/night", directory + "/day_1"));
    assertRefused("is named twice", directory + "/day_*", directory + "/day_1");
    assertRefused("matches no file", directory + "/week_*");
    assertRefused("there is no directory", directory + "/none/week_*");
    assertRefused("there is no such file", directory + "/week");
    assertRefused("is not a regular file", directory.toString());
    assertRefused("no data file is named");
  }

  private static List<String> names(String... patterns) {
    return InputFiles.find(List.of(patterns)).stream()
        .map(f -> f.path().getFileName().toString())
        .toList();
  }

  private static void assertRefused(String reason, String... patterns) {
    Exception e = assertThrows(CriteoDataException.class, () -> InputFiles.find(List.of(patterns)));
    assertTrue(e.getMessage().contains(reason), e.getMessage());
  }

  @Test
  void shouldCutAnyRangeWithoutGapOrOverlap() {
    Path a = TestLines.write(directory.resolve("a"), new byte[1000]);
    Path b = TestLines.write(directory.resolve("b"), new byte[10]);
    try (CriteoSource source = TestLines.open(a, b)) {
      assertEquals(
          List.of(new Split(0, 900, 960), new Split(0, 960, 1000), new Split(1, 0, 5)),
          source.splits(900, 1005, 60));
      assertEquals(List.of(new Split(1, 3, 10)), source.splits(1003, 1010, Long.MAX_VALUE));
      assertEquals(List.of(), source.splits(7, 7, 1));
      assertThrows(IllegalArgumentException.class, () -> source.splits(0, 1011, 1));
      assertThrows(IllegalArgumentException.class, () -> source.splits(0, 10, 0));
    }
  }
}
