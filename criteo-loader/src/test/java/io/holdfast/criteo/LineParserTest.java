package io.holdfast.criteo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LineParserTest {
  private final CriteoBatch batch = new CriteoBatch(3);

  /** Parses a line that stands at some odd place of a buffer full of digits; -1 or its length. */
  private int parse(String line) {
    byte[] buffer = new byte[1024];
    Arrays.fill(buffer, (byte) '7');
    byte[] bytes = line.getBytes(StandardCharsets.ISO_8859_1);
    System.arraycopy(bytes, 0, buffer, 5, bytes.length);
    buffer[5 + bytes.length] = '\n';
    int next = LineParser.parse(buffer, 5, 1, batch.labels(), batch.dense(), batch.ids());
    boolean good = LineDiagnosis.of(buffer, 5, 6 + bytes.length) == null;
    assertEquals(good, next >= 0, () -> "parser and diagnosis disagree on: " + line);
    return next < 0 ? -1 : next - 5;
  }

  @Test
  void shouldReadWhatAPlainParserReads() {
    for (String line : TestLines.lines(1, 5000)) {
      assertEquals(line.length() + 1, parse(line), line);
      assertEquals(TestLines.parse(line), TestLines.sample(batch, 1), line);
      assertEquals(line.length() + 2, parse(line + "\r"), line);
    }
  }

  @Test
  void shouldRefuseExactlyWhatTheDiagnosisRefuses() {
    String mutations = "\t\t\r-0129afAFgG:/@`xz \u00e9\u0010\u0011\u007f";
    long seed = 20261121;
    SplittableRandom random = new SplittableRandom(seed);
    int refused = 0;
    for (int i = 0; i < 100_000; i++) {
      StringBuilder line = new StringBuilder(TestLines.line(random));
      for (int change = random.nextInt(3); change >= 0; change--) {
        int at = random.nextInt(line.length());
        char c = mutations.charAt(random.nextInt(mutations.length()));
        switch (random.nextInt(3)) {
          case 0 -> line.setCharAt(at, c);
          case 1 -> line.insert(at, c);
          default -> line.deleteCharAt(at);
        }
      }
      if (parse(line.toString()) < 0) {
        refused++;
      } else {
        String good = line.toString().replaceFirst("\r$", "");
        assertEquals(TestLines.parse(good), TestLines.sample(batch, 1), "seed " + seed);
      }
    }
    assertTrue(refused > 20_000 && refused < 95_000, "only one side tested: " + refused);
  }

  @Test
  void shouldKnowEveryHexDigitInEveryPlace() {
    for (int place = 0; place < 8; place++) {
      for (int c = 0; c < 256; c++) {
        long chars = 0x3030303030303030L ^ ((c ^ 0x30L) << (8 * place));
        int digit = c < 128 ? Character.digit(c, 16) : -1;
        assertEquals(digit >= 0, LineParser.isHex(chars), "character " + c);
        if (digit >= 0) {
          assertEquals(digit << (4 * place), LineParser.hex(chars));
        }
      }
    }
  }

  @Test
  void shouldAcceptExtremeIntegersAndNoMore() {
    String rest = "\t".repeat(38);
    assertTrue(parse("1\t2147483647" + rest) > 0);
    assertEquals((float) Math.log(2147483648.0), batch.dense()[13]);
    assertTrue(parse("1\t-2147483648" + rest) > 0);
    assertEquals(0f, batch.dense()[13]);
    assertEquals(-1, parse("1\t2147483648" + rest));
    assertEquals(-1, parse("1\t-2147483649" + rest));
    assertEquals(-1, parse("1\t10000000000000000000000" + rest));
    assertEquals(-1, parse("1\t-" + rest));
  }

  @Test
  void shouldHoldTheLongestLineWithinTheDocumentedLength() {
    String line = "1" + "\t-2147483648".repeat(13) + "\tffffffff".repeat(26) + "\r\n";
    assertEquals(CriteoFormat.MAX_LINE_BYTES, line.length());
    assertEquals(line.length(), parse(line.substring(0, line.length() - 1)));
  }

  @Test
  void shouldNameColumnAndReason() {
    String good = TestLines.numbered(1);
    assertNull(diagnose(good));
    assertDiagnosis("", 1, "line is empty");
    assertDiagnosis("2" + good.substring(1), 1, "label is '2'");
    assertDiagnosis(good.substring(0, good.length() - 1), 39, "has 39 columns");
    assertDiagnosis(good + "\t", 40, "has 41 columns");
    assertDiagnosis("0\t1\t1x" + "\t".repeat(37), 3, "'1x' is not an integer");
    assertDiagnosis("0\t1\t\t4294967296" + "\t".repeat(36), 4, "does not fit into 32 bits");
    assertDiagnosis("0" + "\t".repeat(14) + "12g" + "\t".repeat(25), 15, "'12g' is not 1 to 8");
    assertDiagnosis("0" + "\t".repeat(39) + "123456789", 40, "'123456789' is not 1 to 8");
    assertDiagnosis("0" + "\t".repeat(39) + "\u00001", 40, "'\\x001'");
  }

  private static LineDiagnosis diagnose(String line) {
    byte[] bytes = line.getBytes(StandardCharsets.ISO_8859_1);
    return LineDiagnosis.of(bytes, 0, bytes.length);
  }

  private static void assertDiagnosis(String line, int column, String reason) {
    LineDiagnosis diagnosis = diagnose(line);
    assertNotNull(diagnosis, line);
    assertEquals(column, diagnosis.column(), diagnosis.reason());
    assertTrue(diagnosis.reason().contains(reason), diagnosis.reason());
  }
}
