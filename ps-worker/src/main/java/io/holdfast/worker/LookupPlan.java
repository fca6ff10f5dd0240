package io.holdfast.worker;

import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.ParameterInit;
import io.holdfast.config.placement.StripeMap;
import java.util.Arrays;

/**
 * Which rows a batch needs, each once, grouped by the server that owns it, and where each sample
 * finds its rows among them. Reused from batch to batch; allocates only when a batch is larger than
 * any before.
 *
 * <p>Within a server rows keep the order of their first use, so that the plan, and with it the
 * order of every sum, depends on the batch alone.
 */
public final class LookupPlan {
  /** Rows of all tables must fit beside a generation stamp in one long. */
  private static final int ROW_BITS = 40;

  private static final int MAX_GENERATION = 1 << 22;

  private final StripeMap map;
  private final int[] columns;
  private final long[] offsets;
  private final int servers;

  private int[] slots = new int[0];
  private long[] rows = new long[0];
  private long[] firstUse = new long[0];
  private int[] ownerOf = new int[0];
  private int[] place = new int[0];
  private long[] tableKeys = new long[0];
  private int[] tableOrdinals = new int[0];
  private int generation;
  private final int[] starts;
  private int unique;
  private int samples;

  public LookupPlan(ModelSpec model, StripeMap map) {
    if (model.totalRows() >= 1L << ROW_BITS) {
      throw new IllegalArgumentException(model.totalRows() + " rows; at most 2^40 are possible");
    }
    this.map = map;
    this.columns = model.tables().stream().mapToInt(table -> table.column()).toArray();
    this.offsets = model.tableOffsets();
    this.servers = map.servers();
    this.starts = new int[servers + 1];
  }

  /**
   * Plans a batch.
   *
   * @param ids {@code [samples, columnsPerSample]} rows within their tables, sample after sample
   * @param columnsPerSample distance between samples in {@code ids}
   */
  public void build(int[] ids, int columnsPerSample, int samples) {
    this.samples = samples;
    int lookups = Math.multiplyExact(samples, columns.length);
    reserve(lookups);
    nextGeneration();
    int mask = tableKeys.length - 1;
    long stamp = (long) generation << ROW_BITS;
    int found = 0;
    int lookup = 0;
    for (int sample = 0; sample < samples; sample++) {
      int base = sample * columnsPerSample;
      for (int table = 0; table < columns.length; table++) {
        long row = offsets[table] + ids[base + columns[table]];
        long key = stamp | row;
        int probe = (int) ParameterInit.mix(row) & mask;
        while (tableKeys[probe] != key) {
          if (tableKeys[probe] >>> ROW_BITS != generation) {
            tableKeys[probe] = key;
            tableOrdinals[probe] = found;
            firstUse[found++] = row;
            break;
          }
          probe = (probe + 1) & mask;
        }
        slots[lookup++] = tableOrdinals[probe];
      }
    }
    unique = found;
    groupByServer();
    for (int i = 0; i < lookups; i++) {
      slots[i] = place[slots[i]];
    }
  }

  private void reserve(int lookups) {
    if (slots.length >= lookups) {
      return;
    }
    slots = new int[lookups];
    rows = new long[lookups];
    firstUse = new long[lookups];
    ownerOf = new int[lookups];
    place = new int[lookups];
    int capacity = Integer.highestOneBit(Math.max(8, lookups)) * 4;
    tableKeys = new long[capacity];
    tableOrdinals = new int[capacity];
    generation = 0;
  }

  private void nextGeneration() {
    generation++;
    if (generation == MAX_GENERATION) {
      Arrays.fill(tableKeys, 0);
      generation = 1;
    }
  }

  /** Counting sort by owner; stable. */
  private void groupByServer() {
    Arrays.fill(starts, 0);
    for (int i = 0; i < unique; i++) {
      int owner = map.serverOfRow(firstUse[i]);
      ownerOf[i] = owner;
      starts[owner + 1]++;
    }
    for (int server = 0; server < servers; server++) {
      starts[server + 1] += starts[server];
    }
    for (int i = 0; i < unique; i++) {
      int at = starts[ownerOf[i]]++;
      place[i] = at;
      rows[at] = firstUse[i];
    }
    // Each start has advanced to its end; shift them back.
    System.arraycopy(starts, 0, starts, 1, servers);
    starts[0] = 0;
  }

  /** Number of different rows. */
  public int unique() {
    return unique;
  }

  /** Samples of the planned batch. */
  public int samples() {
    return samples;
  }

  /** Embedding tables, that is lookups per sample. */
  public int tables() {
    return columns.length;
  }

  /** First of a server's rows among {@link #rows}; {@code start(servers)} is {@link #unique}. */
  public int start(int server) {
    return starts[server];
  }

  /** Global ids of the different rows, grouped by server; valid up to {@link #unique}. */
  public long[] rows() {
    return rows;
  }

  /** {@code [samples, tables]}: where in {@link #rows} each lookup finds its row. */
  public int[] slots() {
    return slots;
  }
}
