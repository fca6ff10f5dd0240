package io.holdfast.benchmarks;

import com.github.luben.zstd.Zstd;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.model.NnLayout;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.model.OptimizerSpec;
import io.holdfast.config.model.ParameterInit;
import io.holdfast.config.settings.SettingOverride;
import io.holdfast.config.settings.Settings;
import io.holdfast.criteo.BadLinePolicy;
import io.holdfast.criteo.CriteoBatch;
import io.holdfast.criteo.CriteoFormat;
import io.holdfast.criteo.CriteoSource;
import io.holdfast.criteo.SampleReader;
import io.holdfast.criteo.SourceOptions;
import io.holdfast.criteo.Split;
import io.holdfast.erasure.DeltaPacking;
import io.holdfast.server.optimizer.Optimizer;
import io.holdfast.worker.EmbeddingOps;
import io.holdfast.worker.LookupPlan;
import io.holdfast.worker.WorkerData;
import io.holdfast.worker.dense.DenseEngine;
import io.holdfast.worker.dense.EngineKind;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.zip.DataFormatException;

/**
 * How well and how fast differences of a real training run pack: one plain loop trains, and every
 * fifth iteration its rows' {@code old XOR new} are cut into the messages that holders would get.
 * Beside {@link DeltaPacking}: memory copy, zstd over bytes sorted by their place in the float, and
 * three simpler forms (their sizes only).
 *
 * <p>Arguments: preset, data file, iterations.
 */
public final class DifferencePacking {
  private static final int BATCH = 2048;
  private static final int EVERY = 5;

  /** 5 servers, each of which sends to 4 holders. */
  private static final int MESSAGES = 20;

  private static final int ROUNDS = 15;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

  private final Arena arena;
  private final DeltaPacking packing = new DeltaPacking();

  /** Messages: {@code [count, rowFloats]} each. */
  private final List<MemorySegment> messages = new ArrayList<>();

  private DifferencePacking(Arena arena) {
    this.arena = arena;
  }

  public static void main(String[] arguments) throws Exception {
    if (arguments.length != 3) {
      throw new IllegalArgumentException("arguments: PRESET DATA ITERATIONS");
    }
    System.out.println(
        "| optimizer | messages | KB each | packed / raw | refused | 2 control bits + bytes"
            + " | width of 16 | width of 32 | zstd 1 | copy GB/s | pack | unpack"
            + " | zstd compress | decompress |");
    System.out.println("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for (OptimizerKind kind : OptimizerKind.values()) {
      try (Arena arena = Arena.ofConfined()) {
        DifferencePacking run = new DifferencePacking(arena);
        run.train(
            job(arguments[0], arguments[1], kind), arguments[1], Integer.parseInt(arguments[2]));
        run.report(kind);
      }
    }
  }

  private static JobSpec job(String preset, String data, OptimizerKind kind) {
    String rate =
        switch (kind) {
          case SGD -> "0.1";
          case ADAM -> "0.001";
          case MOMENTUM, ADAGRAD, ROWWISE_ADAGRAD -> "0.02";
        };
    return Settings.load(
            List.of(),
            List.of(
                SettingOverride.ofAssignment("model.preset=" + preset),
                SettingOverride.ofAssignment("max.rows.per.table=100000"),
                SettingOverride.ofAssignment("optimizer.name=" + kind.option()),
                SettingOverride.ofAssignment("learning.rate=" + rate),
                SettingOverride.ofAssignment("batch=" + BATCH)))
        .jobSpec(List.of(data), 1);
  }

  private void train(JobSpec job, String data, int iterations) {
    int dim = job.model().dim();
    int rowFloats = job.rowLayout().rowFloats();
    long rowBytes = 4L * rowFloats;
    OptimizerSpec spec = job.optimizer();
    Optimizer optimizer = Optimizer.of(spec);
    ParameterInit init = new ParameterInit(job.seed());
    LookupPlan plan = new LookupPlan(job.model(), job.stripeMap());
    CriteoBatch batch = new CriteoBatch(job.batch());
    int parameters = NnLayout.of(job.model()).parameters();
    int[] steps = new int[Math.toIntExact(job.model().totalRows())];
    MemorySegment rows = arena.allocate(steps.length * rowBytes, 64);
    MemorySegment old = arena.allocate(rowBytes, 64);
    MemorySegment nn =
        arena.allocate(4L * (parameters + spec.forNn().kind().stateFloats(parameters)));
    long lookups = (long) job.batch() * job.model().tables().size();
    MemorySegment values = arena.allocate(lookups * dim * Float.BYTES, 64);
    Optimizer nnOptimizer = Optimizer.of(spec.forNn());
    init.nn(NnLayout.of(job.model()), 0, parameters, nn);
    nnOptimizer.initialState(nn, 0, parameters);
    float[] scales = new float[job.model().tables().size()];
    long[] offsets = job.model().tableOffsets();
    for (int table = 0; table < scales.length; table++) {
      scales[table] = ParameterInit.embeddingScale(job.model().tables().get(table).rows());
    }
    try (DenseEngine engine = DenseEngine.create(EngineKind.ND4J, job.model(), job.batch(), 1);
        CriteoSource source = CriteoSource.open(List.of(data), SourceOptions.defaults())) {
      SampleReader reader = null;
      for (int iteration = 0; iteration < iterations; iteration++) {
        int count = reader == null ? 0 : reader.read(batch);
        if (count == 0) {
          if (reader != null) {
            reader.close();
          }
          reader =
              source.reader(
                  new Split(0, 0, source.length()),
                  WorkerData.mapping(job.data(), job.model()),
                  BadLinePolicy.fail());
          count = reader.read(batch);
        }
        plan.build(batch.ids(), CriteoFormat.CATEGORIES, count);
        for (int i = 0; i < plan.unique(); i++) {
          int row = (int) plan.rows()[i];
          if (steps[row] == 0) {
            int table = scales.length - 1;
            while (offsets[table] > row) {
              table--;
            }
            init.row(row, scales[table], dim, rows, row * rowBytes);
            optimizer.initialState(rows, row * rowBytes, dim);
          }
          MemorySegment.copy(rows, row * rowBytes, values, 4L * i * dim, 4L * dim);
        }
        EmbeddingOps.gather(plan, dim, values, engine.features());
        MemorySegment.copy(nn, 0, engine.parameters(), 0, 4L * parameters);
        MemorySegment.copy(batch.labels(), 0, engine.labels(), ValueLayout.JAVA_FLOAT, 0, count);
        MemorySegment.copy(
            batch.dense(),
            0,
            engine.dense(),
            ValueLayout.JAVA_FLOAT,
            0,
            count * CriteoFormat.INTEGERS);
        if (!Double.isFinite(engine.step(count))) {
          throw new IllegalStateException("the loss is not finite at iteration " + iteration);
        }
        EmbeddingOps.scatterAdd(plan, dim, engine.featureGradients(), values);
        float rate = job.learningRate().at(iteration);
        MemorySegment differences =
            iteration % EVERY == 0 ? arena.allocate(plan.unique() * rowBytes, 64) : null;
        for (int i = 0; i < plan.unique(); i++) {
          int row = (int) plan.rows()[i];
          long at = row * rowBytes;
          MemorySegment.copy(rows, at, old, 0, rowBytes);
          optimizer.update(rows, at, dim, values, 4L * i * dim, rate, ++steps[row]);
          for (long f = 0; differences != null && f < rowBytes; f += 4) {
            differences.set(INT, i * rowBytes + f, old.get(INT, f) ^ rows.get(INT, at + f));
          }
        }
        nnOptimizer.update(nn, 0, parameters, engine.gradients(), 0, rate, iteration + 1);
        if (differences != null) {
          for (int i = 0; i < MESSAGES; i++) {
            long from = (long) plan.unique() * i / MESSAGES * rowBytes;
            long to = (long) plan.unique() * (i + 1) / MESSAGES * rowBytes;
            messages.add(differences.asSlice(from, to - from));
          }
        }
      }
      if (reader != null) {
        reader.close();
      }
    }
  }

  private void report(OptimizerKind kind) throws DataFormatException {
    long most = 0;
    long raw = 0;
    for (MemorySegment message : messages) {
      most = Math.max(most, message.byteSize());
      raw += message.byteSize();
    }
    MemorySegment target = arena.allocate(most, 64);
    MemorySegment back = arena.allocate(most, 64);
    byte[] sorted = new byte[(int) most];
    byte[] compressed = new byte[(int) Zstd.compressBound(most)];
    double[] best = {1e18, 1e18, 1e18, 1e18, 1e18};
    long packed = 0;
    long refused = 0;
    long zstd = 0;
    for (int round = 0; round < ROUNDS; round++) {
      long[] nanos = new long[best.length];
      packed = 0;
      refused = 0;
      long unpacked = 0;
      for (MemorySegment message : messages) {
        int bytes = (int) message.byteSize();
        long start = System.nanoTime();
        MemorySegment.copy(message, 0, back, 0, bytes);
        nanos[0] += System.nanoTime() - start;
        start = System.nanoTime();
        int size = packing.pack(message, 0, bytes / 4, target, 0);
        nanos[1] += System.nanoTime() - start;
        if (size < 0) {
          refused++;
          packed += bytes;
        } else {
          packed += size;
          unpacked += bytes;
          start = System.nanoTime();
          packing.unpack(target, 0, size, back, 0, bytes / 4);
          nanos[2] += System.nanoTime() - start;
          if (MemorySegment.mismatch(message, 0, bytes, back, 0, bytes) >= 0) {
            throw new IllegalStateException("unpacked differences are not what was packed");
          }
        }
        if (round % 5 == 0) {
          start = System.nanoTime();
          sort(message, sorted);
          long to = Zstd.compressByteArray(compressed, 0, compressed.length, sorted, 0, bytes, 1);
          nanos[3] += System.nanoTime() - start;
          zstd += round == 0 ? to : 0;
          start = System.nanoTime();
          long got = Zstd.decompressByteArray(sorted, 0, bytes, compressed, 0, (int) to);
          nanos[4] += System.nanoTime() - start;
          if (got != bytes) {
            throw new IllegalStateException("zstd: " + got + " of " + bytes + " bytes");
          }
        }
      }
      for (int i = 0; i < best.length; i++) {
        double perByte = nanos[i] / (double) (i == 2 ? unpacked : raw);
        best[i] = perByte > 0 ? Math.min(best[i], perByte) : best[i];
      }
    }
    System.out.printf(
        Locale.ROOT,
        "| %s | %d | %.0f | %.3f | %d | %.3f | %.3f | %.3f | %.3f | %.1f | %.1f | %.1f | %.2f |"
            + " %.2f |%n",
        kind.option(),
        messages.size(),
        raw / 1e3 / messages.size(),
        (double) packed / raw,
        refused,
        bytesForm() / raw,
        widthForm(16) / raw,
        widthForm(32) / raw,
        (double) zstd / raw,
        1 / best[0],
        1 / best[1],
        1 / best[2],
        1 / best[3],
        1 / best[4]);
  }

  /** Bytes of the same place in their floats next to one another. */
  private static void sort(MemorySegment message, byte[] to) {
    int floats = (int) message.byteSize() / 4;
    for (int i = 0; i < floats; i++) {
      int bits = message.get(INT, 4L * i);
      to[i] = (byte) bits;
      to[floats + i] = (byte) (bits >>> 8);
      to[2 * floats + i] = (byte) (bits >>> 16);
      to[3 * floats + i] = (byte) (bits >>> 24);
    }
  }

  /** Size if each float were 2 bits that say how many bytes follow (1 to 4), and these. */
  private double bytesForm() {
    double bits = 0;
    for (MemorySegment message : messages) {
      for (long at = 0; at < message.byteSize(); at += 4) {
        int width = 32 - Integer.numberOfLeadingZeros(message.get(INT, at));
        bits += 2 + 8 * Math.max(1, (width + 7) / 8);
      }
    }
    return bits / 8;
  }

  /** Size if each block of so many floats had one byte of width and that many bits a float. */
  private double widthForm(int block) {
    double bits = 0;
    for (MemorySegment message : messages) {
      for (long at = 0; at < message.byteSize(); ) {
        int any = 0;
        long end = Math.min(message.byteSize(), at + 4L * block);
        for (; at < end; at += 4) {
          any |= message.get(INT, at);
        }
        bits += 8 + block * (32 - Integer.numberOfLeadingZeros(any));
      }
    }
    return bits / 8;
  }
}
