package io.holdfast.criteo;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/**
 * Reads lines to be scored from a stream that has neither length nor positions, such as standard
 * input. A line's label may be empty: nobody knows it yet. For one thread.
 */
public final class LineStream {
  private static final int UNKNOWN_LABEL = '0';

  private final InputStream in;
  private final String name;
  private final IdMapping mapping;

  /** One line with a label, a line feed, and 8 readable bytes behind it. */
  private final byte[] line = new byte[CriteoFormat.MAX_LINE_BYTES + 16];

  private long lines;
  private long offset;

  /**
   * A reader of a stream; the stream stays the caller's.
   *
   * @param name what messages call it
   */
  public LineStream(InputStream in, String name, IdMapping mapping) {
    this.in = new BufferedInputStream(in, 1 << 16);
    this.name = name;
    this.mapping = mapping;
  }

  /**
   * Fills a batch with the lines that are there; waits for one line at least.
   *
   * @return number of samples, 0 at the end
   * @throws CriteoDataException if a line is bad, naming it
   */
  public int read(CriteoBatch batch) {
    int sample = 0;
    try {
      while (sample < batch.capacity() && (sample == 0 || in.available() > 0)) {
        int length = nextLine();
        if (length < 0) {
          break;
        }
        if (LineParser.parse(line, 0, sample, batch.labels(), batch.dense(), batch.ids()) < 0) {
          throw bad(length);
        }
        sample++;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(name + ": cannot be read after line " + lines, e);
    }
    mapping.apply(batch.ids(), sample);
    batch.size(sample);
    return sample;
  }

  /** Takes the next line into the buffer; returns its length with the line feed, -1 at the end. */
  private int nextLine() throws IOException {
    int length = 0;
    int next = in.read();
    if (next < 0) {
      return -1;
    }
    lines++;
    if (next == '\t') {
      line[length++] = (byte) UNKNOWN_LABEL;
    }
    while (next >= 0 && next != '\n') {
      if (length == CriteoFormat.MAX_LINE_BYTES) {
        throw new CriteoDataException(
            name
                + ", line "
                + lines
                + ": is longer than "
                + CriteoFormat.MAX_LINE_BYTES
                + " bytes");
      }
      line[length++] = (byte) next;
      offset++;
      next = in.read();
    }
    offset++;
    line[length++] = '\n';
    return length;
  }

  private CriteoDataException bad(int length) {
    LineDiagnosis diagnosis = LineDiagnosis.of(line, 0, length);
    if (diagnosis == null) {
      throw new IllegalStateException("a good line was refused at byte " + offset);
    }
    return new CriteoDataException(
        name + ", line " + lines + ", column " + diagnosis.column() + ": " + diagnosis.reason());
  }
}
