package io.holdfast.criteo;

/** Reads lines of one split of a file. */
final class RawReader implements SampleReader {
  private final CriteoSource source;
  private final Split split;
  private final IdMapping mapping;
  private final BadLinePolicy policy;
  private final ByteCursor cursor;
  private final long to;

  /** Offset of the first line that this reader owns, and lines consumed since. */
  private final long start;

  private long lines;
  private long badLines;

  /** Number of lines before {@link #start}, or -1 as long as nobody asked. */
  private long linesBefore;

  private boolean closed;

  /**
   * A reader; the cursor is handed back to the source on close.
   *
   * @param mapping null leaves raw values
   */
  RawReader(
      CriteoSource source,
      Split split,
      IdMapping mapping,
      BadLinePolicy policy,
      ByteCursor cursor) {
    this.source = source;
    this.split = split;
    this.mapping = mapping;
    this.policy = policy;
    this.cursor = cursor;
    to = Math.min(split.to(), source.length(split.file()));
    if (split.from() == 0) {
      cursor.seek(0);
    } else {
      // A line starts at 'from' exactly if the byte before is a line feed.
      cursor.seek(split.from() - 1);
      cursor.skipLine();
    }
    start = cursor.offset();
    linesBefore = start == 0 ? 0 : -1;
  }

  @Override
  public int read(CriteoBatch batch) {
    int sample = 0;
    while (sample < batch.capacity()
        && cursor.offset() < to
        && cursor.ensure(CriteoFormat.MAX_LINE_BYTES + 8)) {
      sample = readBuffered(batch, sample);
    }
    if (mapping != null) {
      mapping.apply(batch.ids(), sample);
    }
    batch.size(sample);
    return sample;
  }

  /** Parses lines as long as the window surely holds the next one whole. */
  private int readBuffered(CriteoBatch batch, int from) {
    byte[] buffer = cursor.buffer();
    float[] labels = batch.labels();
    float[] dense = batch.dense();
    int[] ids = batch.ids();
    int at = cursor.at();
    int end = cursor.end();
    // Once the window reaches the file's end, its last line is as good as any.
    boolean atEnd = cursor.offset() + (end - at) == source.length(split.file());
    int stop = atEnd ? end : end - CriteoFormat.MAX_LINE_BYTES - 7;
    stop = (int) Math.min(stop, at + (to - cursor.offset()));
    int sample = from;
    while (at < stop && sample < batch.capacity()) {
      int next = LineParser.parse(buffer, at, sample, labels, dense, ids);
      if (next < 0) {
        cursor.moveTo(at);
        leaveOut();
        return sample;
      }
      lines++;
      sample++;
      at = next;
    }
    cursor.moveTo(at);
    return sample;
  }

  private void leaveOut() {
    source.badLineLog().record(policy, this::describe);
    badLines++;
    lines++;
    cursor.skipLine();
  }

  private BadLine describe() {
    if (linesBefore < 0) {
      linesBefore = source.linesBefore(split.file(), start);
    }
    LineDiagnosis diagnosis = LineDiagnosis.of(cursor.buffer(), cursor.at(), cursor.end());
    if (diagnosis == null) {
      throw new IllegalStateException("a good line was refused at byte " + cursor.offset());
    }
    return new BadLine(
        source.inputs().get(split.file()).path().toString(),
        linesBefore + lines + 1,
        cursor.offset(),
        diagnosis.column(),
        diagnosis.reason());
  }

  @Override
  public long position() {
    return cursor.offset();
  }

  @Override
  public long badLines() {
    return badLines;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      source.giveBack(split.file(), cursor);
    }
  }
}
