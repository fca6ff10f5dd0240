package io.holdfast.benchmarks;

import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.DataSpec;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.LearningRate;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.model.Interaction;
import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.model.OptimizerSpec;
import io.holdfast.config.model.TableSpec;
import io.holdfast.config.settings.LinkKind;
import io.holdfast.worker.LookupPlan;
import io.holdfast.worker.SyntheticWorker;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code holdfast bench ps}. */
@Command(
    name = "ps",
    mixinStandardHelpOptions = true,
    description =
        "Pull, and staged and committed push, of one worker without dense part against server"
            + " processes: rows/s, GB/s of values, latencies; beside a plain gather of the same"
            + " rows.")
final class PsBench extends Bench {
  private static final double MAX_LATENCY_SECONDS = 60;

  @Option(
      names = "--servers",
      split = ",",
      paramLabel = "N",
      defaultValue = "1,2,5",
      description = "Default: ${DEFAULT-VALUE}.")
  private List<Integer> servers;

  @Option(
      names = "--dim",
      split = ",",
      paramLabel = "D",
      defaultValue = "16,64,128",
      description = "Floats of a row (default: ${DEFAULT-VALUE}).")
  private List<Integer> dims;

  @Option(
      names = "--optimizer",
      split = ",",
      paramLabel = "NAME",
      defaultValue = "sgd",
      description = "sgd, momentum, adagrad, ... (default: ${DEFAULT-VALUE}).")
  private List<String> optimizers;

  @Option(
      names = "--redundancy",
      split = ",",
      paramLabel = "KIND",
      defaultValue = "none",
      description =
          "none, ecrm: XOR with k = 4, or fewer if there are not 5 servers (default:"
              + " ${DEFAULT-VALUE}).")
  private List<String> redundancies;

  @Option(
      names = "--link",
      split = ",",
      paramLabel = "LINK",
      defaultValue = "ipc",
      description = "ipc, udp: processes; memory: threads of this one (default: ${DEFAULT-VALUE}).")
  private List<String> links;

  @Option(
      names = "--size",
      split = ",",
      paramLabel = "BYTES",
      converter = Sizes.class,
      defaultValue = "4m",
      description = "Values of an iteration (default: ${DEFAULT-VALUE}).")
  private List<Long> sizes;

  @Option(
      names = "--message",
      paramLabel = "BYTES",
      converter = Sizes.class,
      defaultValue = "256k",
      description = "message.bytes.max (default: ${DEFAULT-VALUE}).")
  private long messageBytes;

  @Option(
      names = "--window",
      paramLabel = "W",
      defaultValue = "3",
      description =
          "Iterations in flight where pulls and pushes overlap; each alone is measured with one"
              + " (default: ${DEFAULT-VALUE}).")
  private int window;

  @Option(
      names = "--table",
      paramLabel = "BYTES",
      converter = Sizes.class,
      defaultValue = "1g",
      description = "Weights of the table (default: ${DEFAULT-VALUE}).")
  private long tableBytes;

  @Option(
      names = "--batches",
      paramLabel = "N",
      defaultValue = "64",
      description = "Different ones, taken in turns (default: ${DEFAULT-VALUE}).")
  private int batches;

  @Option(names = "--huge-pages", description = "memory.huge-pages of the servers.")
  private boolean hugePages;

  @Option(
      names = "--millis",
      paramLabel = "MS",
      defaultValue = "500",
      description = "Length of a round, about (default: ${DEFAULT-VALUE}).")
  private int millis;

  @Override
  void measure(Recorder recorder) throws IOException, InterruptedException {
    requireOneOf("--redundancy", redundancies, List.of("none", "ecrm"));
    requireOneOf("--link", links, List.of("ipc", "udp", "memory"));
    requireOneOf(
        "--optimizer",
        optimizers,
        List.of("sgd", "momentum", "adagrad", "rowwise-adagrad", "adam"));
    for (int dim : dims) {
      for (long size : sizes) {
        if (size < 4L * dim || tableBytes < 2 * size || batches < 1 || window < 1) {
          throw common.badUsage(
              "--size must hold a row, --table two iterations, --batches and --window be 1 or"
                  + " more");
        }
        for (String link : links) {
          for (int count : servers) {
            for (String optimizer : optimizers) {
              for (String redundancy : redundancies) {
                if (redundancy.equals("ecrm") && count < 2) {
                  continue; // Parities lie on other servers.
                }
                Map<String, Object> about =
                    Recorder.parameters(
                        "link",
                        link,
                        "servers",
                        count,
                        "dim",
                        dim,
                        "size",
                        Sizes.name(size),
                        "optimizer",
                        optimizer,
                        "redundancy",
                        redundancy);
                measure(recorder, about, link, count, dim, size, optimizer, redundancy);
              }
            }
          }
        }
      }
    }
  }

  private void measure(
      Recorder recorder,
      Map<String, Object> about,
      String link,
      int count,
      int dim,
      long size,
      String optimizer,
      String redundancy)
      throws IOException, InterruptedException {
    JobSpec alone = job(count, dim, size, optimizer, redundancy, 1);
    int rows = alone.batch();
    List<LookupPlan> plans = plans(alone);
    List<Round> single = new ArrayList<>();
    List<Double> overlapped = new ArrayList<>();
    List<Double> gathered = new ArrayList<>();
    List<Double> moved = new ArrayList<>();
    LinkKind kind = LinkKind.valueOf(link.toUpperCase(Locale.ROOT));
    try (Workspace space = new Workspace();
        PsCluster cluster = PsCluster.start(alone, kind, hugePages, space.directory(), plans);
        PlainGather plain = new PlainGather(alone, plans);
        LoopbackTcp tcp = new LoopbackTcp(Math.toIntExact(size))) {
      warmUp(cluster);
      for (int round = 0; round < rounds; round++) {
        single.add(round(cluster));
        gathered.add(plain.rowsPerSecond(millis));
        moved.add(tcp.gigabytesPerSecond(millis));
      }
    }
    JobSpec many = job(count, dim, size, optimizer, redundancy, window);
    try (Workspace space = new Workspace();
        PsCluster cluster = PsCluster.start(many, kind, hugePages, space.directory(), plans)) {
      warmUp(cluster);
      for (int round = 0; round < rounds; round++) {
        overlapped.add(round(cluster).iterationsPerSecond());
      }
    }
    double gigabytes = 4.0 * dim / 1e9;
    List<Double> pull = single.stream().map(r -> rows / r.pullSeconds()).toList();
    List<Double> push = single.stream().map(r -> rows / r.pushSeconds()).toList();
    recorder.add("pull", about, "rows/s", Spread.of(pull));
    recorder.add("pull", about, "GB/s", scaled(pull, gigabytes));
    recorder.add("push", about, "rows/s", Spread.of(push));
    recorder.add("push", about, "GB/s", scaled(push, gigabytes));
    recorder.add("pull and push overlapped", about, "rows/s", scaled(overlapped, rows));
    recorder.add("pull and push overlapped", about, "GB/s", scaled(overlapped, rows * gigabytes));
    recorder.add("plain gather", about, "rows/s", Spread.of(gathered));
    List<Double> ratios = new ArrayList<>();
    for (int round = 0; round < rounds; round++) {
      ratios.add(pull.get(round) / gathered.get(round));
    }
    recorder.add("pull / plain gather", about, Recorder.RATIO, Spread.of(ratios));
    recorder.add("tcp", about, "GB/s", Spread.of(moved));
    List<Double> toTcp = new ArrayList<>();
    for (int round = 0; round < rounds; round++) {
      toTcp.add(pull.get(round) * gigabytes / moved.get(round));
    }
    recorder.add("pull / tcp", about, Recorder.RATIO, Spread.of(toTcp));
    for (double percentile : new double[] {50, 99, 100}) {
      String name = percentile == 100 ? " max" : String.format(Locale.ROOT, " p%.0f", percentile);
      recorder.add(
          "pull" + name,
          about,
          "us",
          Spread.of(single.stream().map(r -> micros(r.pulls(), percentile)).toList()));
      recorder.add(
          "push" + name,
          about,
          "us",
          Spread.of(single.stream().map(r -> micros(r.pushes(), percentile)).toList()));
    }
  }

  private static Spread scaled(List<Double> values, double factor) {
    return Spread.of(values.stream().map(value -> value * factor).toList());
  }

  private static double micros(Histogram nanos, double percentile) {
    return nanos.getValueAtPercentile(percentile) / 1e3;
  }

  private record Round(Histogram pulls, Histogram pushes, double iterationsPerSecond) {
    /** Of a pull, mean: what counts for throughput. */
    double pullSeconds() {
      return pulls.getMean() / 1e9;
    }

    double pushSeconds() {
      return pushes.getMean() / 1e9;
    }
  }

  /** Every batch once, so that all rows exist, and long enough for the JIT of all processes. */
  private void warmUp(PsCluster cluster) {
    cluster.worker().run(batches, new Latencies());
    long end = System.nanoTime() + 3 * TimeUnit.MILLISECONDS.toNanos(millis);
    while (System.nanoTime() < end) {
      cluster.worker().run(10, new Latencies());
    }
  }

  private Round round(PsCluster cluster) {
    Latencies latencies = new Latencies();
    long start = System.nanoTime();
    long end = start + TimeUnit.MILLISECONDS.toNanos(millis);
    long iterations = 0;
    // In runs of some length, because a run ends with nothing in flight.
    for (long run = 20; System.nanoTime() < end; iterations += run) {
      cluster.worker().run(run, latencies);
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    return new Round(latencies.pulls, latencies.pushes, iterations / seconds);
  }

  private static final class Latencies implements SyntheticWorker.Timings {
    private final Histogram pulls = new Histogram((long) (MAX_LATENCY_SECONDS * 1e9), 3);
    private final Histogram pushes = new Histogram((long) (MAX_LATENCY_SECONDS * 1e9), 3);

    @Override
    public void pulled(long nanos) {
      pulls.recordValue(nanos);
    }

    @Override
    public void applied(long nanos) {
      pushes.recordValue(nanos);
    }
  }

  /** One table; the dense part is as small as a model allows. */
  private JobSpec job(
      int count, int dim, long size, String optimizer, String redundancy, int inFlight) {
    int rowBytes = 4 * dim;
    ModelSpec model =
        new ModelSpec(
            "synthetic",
            dim,
            List.of(13, dim),
            List.of(1),
            Interaction.SUM,
            List.of(new TableSpec(0, tableBytes / rowBytes)));
    OptimizerKind kind =
        OptimizerKind.valueOf(optimizer.toUpperCase(Locale.ROOT).replace('-', '_'));
    return new JobSpec(
        model,
        OptimizerSpec.of(kind),
        LearningRate.constant(1e-4f),
        1,
        count,
        1,
        redundancy.equals("none")
            ? Redundancy.NONE
            : Redundancy.of("xor", Math.min(4, count - 1), 1),
        CommitMode.TWO_PHASE,
        1 << 15,
        Math.toIntExact(size / rowBytes),
        SyncMode.ASYNC,
        0,
        false,
        inFlight,
        "nd4j",
        1,
        1L << 28,
        TimeUnit.SECONDS.toNanos(5),
        Math.toIntExact(messageBytes),
        new DataSpec(List.of("none"), List.of(), false, 0, ""));
  }

  /** Batches of different rows, drawn by Zipf's law (exponent 1) and strewn over the table. */
  private List<LookupPlan> plans(JobSpec job) {
    long rows = job.model().totalRows();
    SplittableRandom random = new SplittableRandom(5);
    List<LookupPlan> plans = new ArrayList<>();
    int[] ids = new int[job.batch()];
    for (int batch = 0; batch < batches; batch++) {
      Set<Integer> drawn = new HashSet<>();
      while (drawn.size() < ids.length) {
        long rank = Math.min(rows, (long) Math.pow(rows + 1.0, random.nextDouble())) - 1;
        int id = (int) (rank * 0x9E3779B1L % rows);
        if (drawn.add(id)) {
          ids[drawn.size() - 1] = id;
        }
      }
      LookupPlan plan = new LookupPlan(job.model(), job.stripeMap());
      plan.build(ids, 1, ids.length);
      plans.add(plan);
    }
    return plans;
  }

  /** What no server can beat: the same rows, copied from one flat table of the same size. */
  private static final class PlainGather implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final MemorySegment table;
    private final MemorySegment target;
    private final List<LookupPlan> plans;
    private final int rowBytes;
    private int next;

    PlainGather(JobSpec job, List<LookupPlan> plans) {
      this.plans = plans;
      rowBytes = 4 * job.model().dim();
      table = arena.allocate(job.model().totalRows() * rowBytes, 64);
      table.fill((byte) 1);
      target = arena.allocate((long) job.batch() * rowBytes, 64);
      double unusedWarmUp = rowsPerSecond(300);
    }

    double rowsPerSecond(int millis) {
      long rows = 0;
      long start = System.nanoTime();
      long end = start + TimeUnit.MILLISECONDS.toNanos(millis);
      while (System.nanoTime() < end) {
        LookupPlan plan = plans.get(next++ % plans.size());
        gather(plan.rows(), plan.unique());
        rows += plan.unique();
      }
      return rows / ((System.nanoTime() - start) / 1e9);
    }

    private void gather(long[] ids, int count) {
      long to = 0;
      for (int i = 0; i < count; i++, to += rowBytes) {
        MemorySegment.copy(table, ids[i] * rowBytes, target, to, rowBytes);
      }
    }

    @Override
    public void close() {
      arena.close();
    }
  }
}
