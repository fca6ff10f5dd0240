package io.holdfast.criteo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class LineStreamTest {
  private static final String FEATURES =
      "\t1\t2\t3\t4\t5\t6\t7\t8\t9\t10\t11\t12\t13" + "\t00000007".repeat(26);

  private static LineStream stream(String text) {
    long[] rows = new long[26];
    Arrays.fill(rows, 5);
    return new LineStream(
        new ByteArrayInputStream(text.getBytes(StandardCharsets.US_ASCII)),
        "lines",
        new IdMapping(IdMapping.Kind.MODULO, rows));
  }

  @Test
  void shouldReadLinesWithAndWithoutLabelsAndWithoutAFinalLineFeed() {
    LineStream stream = stream("1" + FEATURES + "\n" + FEATURES + "\r\n0" + FEATURES);
    CriteoBatch batch = new CriteoBatch(2);
    assertEquals(2, stream.read(batch));
    assertEquals(1, batch.labels()[0]);
    assertEquals(0, batch.labels()[1]);
    assertEquals(7 % 5, batch.ids()[26 + 25]);
    assertEquals((float) Math.log1p(13), batch.dense()[13 + 12]);
    assertEquals(1, stream.read(batch));
    assertEquals(0, stream.read(batch));
  }

  @Test
  void shouldNameTheLineThatIsBad() {
    LineStream stream = stream(FEATURES + "\n" + FEATURES.replaceFirst("\t5\t", "\tfive\t") + "\n");
    CriteoDataException thrown =
        assertThrows(CriteoDataException.class, () -> stream.read(new CriteoBatch(4)));
    assertTrue(thrown.getMessage().contains("line 2, column 6"), thrown.getMessage());
  }

  @Test
  void shouldRefuseALineWithoutEnd() {
    LineStream stream = stream("1".repeat(1 << 20));
    CriteoDataException thrown =
        assertThrows(CriteoDataException.class, () -> stream.read(new CriteoBatch(4)));
    assertTrue(thrown.getMessage().contains("longer than"), thrown.getMessage());
  }
}
