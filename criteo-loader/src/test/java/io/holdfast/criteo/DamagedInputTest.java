package io.holdfast.criteo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DamagedInputTest {
  private static final List<String> GOOD = TestLines.lines(11, 400);

  @TempDir Path directory;

  private void assertOpenFails(String name, byte[] bytes, String reason) {
    Path file = TestLines.write(directory.resolve(name), bytes);
    Exception e = assertThrows(CriteoDataException.class, () -> TestLines.open(file).close());
    assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
    assertTrue(e.getMessage().contains(reason), e.getMessage());
  }

  @Test
  void shouldRefuseTruncatedGzipWhereverItEnds() {
    byte[] bytes = TestLines.gzip(TestLines.bytes(GOOD, "\n", true), 2);
    int secondMember = TestLines.gzip(TestLines.bytes(GOOD, "\n", true), 1).length;
    for (int length = 1; length < bytes.length; length += 97) {
      byte[] cut = Arrays.copyOf(bytes, length);
      Path file = TestLines.write(directory.resolve("cut.gz"), cut);
      if (endsAfterMember(bytes, length)) {
        continue;
      }
      Exception e = assertThrows(CriteoDataException.class, () -> TestLines.open(file).close());
      assertTrue(
          length == 1 || e.getMessage().contains("gzip data ends inside member"), e.getMessage());
    }
    assertTrue(secondMember < bytes.length);
    assertOpenFails("t.gz", Arrays.copyOf(bytes, bytes.length - 1), "ends inside member 2");
  }

  /** Whether a cut falls exactly behind the first of two members. */
  private static boolean endsAfterMember(byte[] bytes, int length) {
    return bytes[length] == 0x1f && bytes[length + 1] == (byte) 0x8b && bytes[length + 2] == 8;
  }

  @Test
  void shouldRefuseTruncatedZstdWhereverItEnds() {
    byte[] bytes = TestLines.zstd(TestLines.bytes(GOOD, "\n", true), 1);
    for (int length = 1; length < bytes.length; length += 97) {
      assertOpenFails("cut" + length + ".zst", Arrays.copyOf(bytes, length), "");
    }
    assertOpenFails("t.zst", Arrays.copyOf(bytes, bytes.length - 1), "truncated");
  }

  @Test
  void shouldRefuseCorruptCompressedData() {
    byte[] gzip = TestLines.gzip(TestLines.bytes(GOOD, "\n", true), 1);
    byte[] badCrc = gzip.clone();
    badCrc[gzip.length - 8] ^= 1;
    assertOpenFails("crc.gz", badCrc, "checksum of member 1");
    byte[] badData = gzip.clone();
    badData[gzip.length / 2] ^= 0x55;
    assertOpenFails("data.gz", badData, "gzip");
    byte[] trailing = Arrays.copyOf(gzip, gzip.length + 3);
    TestLines.write(directory.resolve("padded.gz"), trailing);
    TestLines.open(directory.resolve("padded.gz")).close();
    trailing[gzip.length] = 7;
    assertOpenFails("trailing.gz", trailing, "what follows gzip member 1 is not gzip");
    byte[] zstd = TestLines.zstd(TestLines.bytes(GOOD, "\n", true), 1);
    zstd[zstd.length - 1] ^= 1;
    assertOpenFails("crc.zst", zstd, "checksum");
    assertOpenFails("plain.gz", TestLines.bytes(GOOD, "\n", true), "is named .gz but");
  }

  @Test
  void shouldRefuseFilesWithoutALine() {
    assertOpenFails("empty", new byte[0], "holds no line");
    assertOpenFails("empty.gz", new byte[0], "holds no line");
    assertOpenFails("nothing.gz", TestLines.gzip(new byte[0], 1), "holds no line");
    assertOpenFails("nothing.zst", TestLines.zstd(new byte[0], 1), "holds no line");
  }

  @Test
  void shouldNoticeAFileThatShrinksWhileItIsRead() throws Exception {
    Path file = TestLines.write(directory.resolve("s"), TestLines.bytes(GOOD, "\n", true));
    try (CriteoSource source = TestLines.open(file)) {
      Files.write(file, TestLines.bytes(GOOD.subList(0, 100), "\n", true));
      try (SampleReader reader = reader(source, BadLinePolicy.fail())) {
        Exception e = assertThrows(CriteoDataException.class, () -> TestLines.drain(reader, 1000));
        assertTrue(e.getMessage().contains("had " + source.length()), e.getMessage());
      }
    }
  }

  private static SampleReader reader(CriteoSource source, BadLinePolicy policy) {
    return source.reader(new Split(0, 0, source.length()), TestLines.wide(), policy);
  }

  /** 400 good lines with bad ones after the first 100 and 300. */
  private static byte[] withBadLines(String first, String second, String lineEnd) {
    List<String> lines = new ArrayList<>(GOOD);
    lines.add(300, second);
    lines.add(100, first);
    return TestLines.bytes(lines, lineEnd, true);
  }

  @Test
  void shouldFailWithFileLineOffsetColumnAndReason() {
    String bad = "0\t1\t99999999999" + "\t".repeat(37);
    for (String name : List.of("bad", "bad.gz")) {
      byte[] bytes = withBadLines(bad, "", "\r\n");
      Path file =
          TestLines.write(
              directory.resolve(name), name.equals("bad") ? bytes : TestLines.gzip(bytes, 1));
      long offset = TestLines.bytes(GOOD.subList(0, 100), "\r\n", true).length;
      try (CriteoSource source = TestLines.open(file);
          SampleReader whole = reader(source, BadLinePolicy.fail());
          SampleReader part =
              source.reader(
                  new Split(0, offset / 2, offset + 1), TestLines.wide(), BadLinePolicy.fail())) {
        for (SampleReader reader : List.of(whole, part)) {
          Exception e =
              assertThrows(CriteoDataException.class, () -> TestLines.drain(reader, 1000));
          assertEquals(
              file
                  + ", line 101 (byte "
                  + offset
                  + "), column 3 (I2): '99999999999' has more than 10 digits: it does not fit"
                  + " into 32 bits",
              e.getMessage());
          assertEquals(offset, reader.position());
        }
      }
    }
  }

  @Test
  void shouldSkipAndCountUpToTheLimit() {
    String endless = "1\t" + "x".repeat(600_000);
    for (String bad : List.of("", "x", GOOD.get(0) + "\t", endless)) {
      Path file = TestLines.write(directory.resolve("skip"), withBadLines(bad, "0\t1\tbad", "\n"));
      try (CriteoSource source = TestLines.open(file)) {
        List<TestLines.Sample> expected = GOOD.stream().map(TestLines::parse).toList();
        try (SampleReader reader =
            source.rawReader(new Split(0, 0, source.length()), BadLinePolicy.skip(2))) {
          assertEquals(expected, TestLines.drain(reader, 37));
          assertEquals(2, reader.badLines());
        }
        assertEquals(2, source.badLines());
        assertEquals(101, source.describedBadLines().get(0).line());
        assertEquals(302, source.describedBadLines().get(1).line());
        assertEquals(3, source.describedBadLines().get(1).column());
        // The limit holds for all readers together, until the count starts anew.
        try (SampleReader reader = reader(source, BadLinePolicy.skip(2))) {
          Exception e = assertThrows(CriteoDataException.class, () -> TestLines.drain(reader, 37));
          assertTrue(e.getMessage().contains("one more than the 2 bad lines"), e.getMessage());
        }
        source.forgetBadLines();
        try (SampleReader reader = reader(source, BadLinePolicy.skip(2))) {
          assertEquals(400, TestLines.drain(reader, 37).size());
        }
      }
    }
  }

  @Test
  void shouldDescribeOnlyTheFirstBadLinesButCountAll() {
    byte[] bytes = "nonsense\n".repeat(1000).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    try (CriteoSource source = TestLines.open(TestLines.write(directory.resolve("n"), bytes));
        SampleReader reader = reader(source, BadLinePolicy.skip(1000))) {
      assertEquals(0, TestLines.drain(reader, 10).size());
      assertEquals(1000, source.badLines());
      assertEquals(100, source.describedBadLines().size());
      assertEquals(100, source.describedBadLines().get(99).line());
    }
  }

  @Test
  void shouldTakeAnEmptyLineAsBadButNotTheFinalLineEnd() {
    byte[] bytes = TestLines.bytes(GOOD, "\n", true);
    byte[] longer = Arrays.copyOf(bytes, bytes.length + 1);
    longer[bytes.length] = '\n';
    try (CriteoSource source = TestLines.open(TestLines.write(directory.resolve("e"), longer));
        SampleReader reader = reader(source, BadLinePolicy.fail())) {
      Exception e = assertThrows(CriteoDataException.class, () -> TestLines.drain(reader, 1000));
      assertTrue(e.getMessage().contains("line 401"), e.getMessage());
      assertTrue(e.getMessage().contains("the line is empty"), e.getMessage());
    }
  }
}
