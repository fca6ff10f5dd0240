package io.holdfast.config.settings;

import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.DataSpec;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.LearningRate;
import io.holdfast.config.job.Packing;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.model.Interaction;
import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.model.OptimizerSpec;
import io.holdfast.config.model.Presets;
import io.holdfast.config.model.TableSpec;
import io.holdfast.config.transport.FramePool;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * All settings of a command, valid as a whole. Immutable.
 *
 * <p>What every process of a job must agree on becomes a {@link JobSpec}; what only the launching
 * process needs, {@link LaunchSettings}.
 */
public final class Settings {
  private static final int MAX_NODES = 10_000;
  private static final int MAX_STRIPE = 255;
  private static final int MAX_MTU_BYTES = 65504;
  private static final long MAX_TERM_BYTES = 128L << 20;

  /** Room beside a shard's gradients in the message that stages them. */
  private static final int MESSAGE_HEADER_BYTES = 4096;

  private final Map<String, Object> shown;
  private final JobSpec job;
  private final int denseThreads;
  private final LaunchSettings launch;

  private Settings(
      Map<String, Object> shown, JobSpec job, int denseThreads, LaunchSettings launch) {
    this.shown = shown;
    this.job = job;
    this.denseThreads = denseThreads;
    this.launch = launch;
  }

  /** The defaults. */
  public static Settings defaults() {
    return load(List.of(), List.of());
  }

  /**
   * Reads and checks settings.
   *
   * @param files HOCON files; a later one goes before an earlier one
   * @param overrides go before files, and later ones before earlier ones
   * @throws SettingsException with all that is wrong
   */
  public static Settings load(List<Path> files, List<SettingOverride> overrides) {
    Values values = new Values(files, overrides);
    Settings settings = new Reader(values).read();
    if (settings == null || !values.problems().isEmpty()) {
      throw new SettingsException(values.problems());
    }
    return settings;
  }

  /** Keys of the reference that {@link #load} does not look at: must be none. */
  static List<String> keysInVain() {
    Values values = new Values(List.of(), List.of());
    new Reader(values).read();
    return values.unread().stream().sorted().toList();
  }

  /**
   * The job's description.
   *
   * @param files data files under names that every worker can open, globs expanded
   * @param denseThreads threads of a worker's dense part where the settings leave them open, see
   *     {@link #threadsPerWorker}
   */
  public JobSpec jobSpec(List<String> files, int denseThreads) {
    DataSpec data =
        new DataSpec(
            files, List.of(), job.data().hashIds(), job.data().badLineLimit(), job.data().cache());
    return new JobSpec(
        job.model(),
        job.optimizer(),
        job.learningRate(),
        job.seed(),
        job.servers(),
        job.workers(),
        job.redundancy(),
        job.commit(),
        job.nnShardFloats(),
        job.batch(),
        job.sync(),
        job.staleness(),
        job.deterministic(),
        job.window(),
        job.denseEngine(),
        this.denseThreads > 0 ? this.denseThreads : denseThreads,
        job.stagedBytesMax(),
        job.retryNanos(),
        job.messageBytesMax(),
        data);
  }

  /** A fair share of a host's cores for each of its workers, at least 1. */
  public static int threadsPerWorker(int cores, int workersOnHost) {
    return Math.max(1, cores / Math.max(1, workersOnHost));
  }

  public int servers() {
    return job.servers();
  }

  public int workers() {
    return job.workers();
  }

  public ModelSpec model() {
    return job.model();
  }

  public Redundancy redundancy() {
    return job.redundancy();
  }

  public LaunchSettings launch() {
    return launch;
  }

  /** Effective value of every key in documented order, for reports: text, number, list, flag. */
  public Map<String, Object> values() {
    return shown;
  }

  /** Takes typed values out and checks them against one another. */
  private static final class Reader {
    private final Values values;

    Reader(Values values) {
      this.values = values;
    }

    /** The settings, or null if something is wrong. */
    Settings read() {
      SyncMode sync = values.choice("sync", SyncMode.class);
      boolean deterministic = values.flag("deterministic");
      if (deterministic) {
        values.imply("sync", "sync", "deterministic = true");
        sync = SyncMode.SYNC;
      }
      if (sync == SyncMode.SYNC) {
        values.imply("window", 1, deterministic ? "deterministic = true" : "sync = sync");
      }
      int window = values.wholeInt("window", 1, 64);
      int staleness = values.wholeInt("staleness", 1, Integer.MAX_VALUE);
      ModelSpec model = model();
      OptimizerSpec optimizer = optimizer();
      LearningRate rate = learningRate();
      long seed = values.whole("seed", Long.MIN_VALUE, Long.MAX_VALUE);
      int servers = values.wholeInt("cluster.servers", 1, MAX_NODES);
      int workers = values.wholeInt("cluster.workers", 1, MAX_NODES);
      CommitMode commit = commit(deterministic);
      Redundancy redundancy = redundancy(servers);
      int batch = values.wholeInt("batch", 1, 1 << 24);
      String engine = values.choice("dense.engine", List.of("nd4j", "dl4j"));
      int denseThreads = values.wholeInt("dense.threads", 0, 1024);
      long stagedBytesMax = values.bytes("staged.bytes.max", 1 << 20, Long.MAX_VALUE);
      long retryNanos = values.nanos("retry");
      TransportSettings transport = transport();
      int nnShardFloats = values.wholeInt("nn.shard.floats", 1, 1 << 22);
      int messageBytesMax = messageBytesMax(transport, nnShardFloats);
      InputSettings input = input();
      LaunchSettings launch = launch(input, transport);
      if (!values.problems().isEmpty()) {
        return null;
      }
      DataSpec data =
          new DataSpec(
              input.paths(),
              List.of(),
              input.hashIds(),
              input.badLineLimit(),
              input.cache().orElse(""));
      JobSpec job =
          new JobSpec(
              model,
              optimizer,
              rate,
              seed,
              servers,
              workers,
              redundancy,
              commit,
              nnShardFloats,
              batch,
              sync,
              staleness,
              deterministic,
              window,
              engine,
              1,
              stagedBytesMax,
              retryNanos,
              messageBytesMax,
              data);
      return new Settings(Collections.unmodifiableMap(values.shown()), job, denseThreads, launch);
    }

    private ModelSpec model() {
      ModelSpec model = Presets.named(values.choice("model.preset", Presets.names()));
      List<String> interactions =
          Stream.concat(
                  Stream.of("preset"),
                  Arrays.stream(Interaction.values()).map(i -> i.name().toLowerCase(Locale.ROOT)))
              .toList();
      String interaction = values.choice("model.interaction", interactions);
      if (!interaction.equals("preset")) {
        model =
            new ModelSpec(
                model.name(),
                model.dim(),
                model.bottom(),
                model.top(),
                Interaction.valueOf(interaction.toUpperCase(Locale.ROOT)),
                model.tables());
      }
      model = model.withDimScale(values.wholeInt("dim.scale", 1, 64));
      model =
          model.withTablesScale(
              values.real("tables.scale", "above 0, at most 1e6", x -> x > 0 && x <= 1e6));
      long cap = values.whole("max.rows.per.table", 0, Integer.MAX_VALUE);
      if (cap > 0) {
        model = model.withMaxRowsPerTable(cap);
      }
      for (TableSpec table : model.tables()) {
        if (table.rows() > Integer.MAX_VALUE) {
          values.reject(
              "tables.scale",
              "the table of C%d would have %d rows, at most %d are possible; set max.rows.per.table"
                  .formatted(table.column() + 1, table.rows(), Integer.MAX_VALUE));
          break;
        }
      }
      return model;
    }

    private OptimizerSpec optimizer() {
      List<String> names =
          Arrays.stream(OptimizerKind.values()).map(OptimizerKind::option).toList();
      return new OptimizerSpec(
          OptimizerKind.ofOption(values.choice("optimizer.name", names)),
          decay("optimizer.momentum"),
          decay("optimizer.beta1"),
          decay("optimizer.beta2"),
          (float) values.real("optimizer.epsilon", "above 0", x -> (float) x > 0),
          (float) values.real("optimizer.initial-accumulator", "of at least 0", x -> x >= 0));
    }

    private float decay(String key) {
      return (float) values.real(key, "from 0 to below 1", x -> x >= 0 && (float) x < 1);
    }

    private LearningRate learningRate() {
      return new LearningRate(
          (float) values.real("learning.rate", "above 0", x -> (float) x > 0),
          values.whole("learning.warmup", 0, Long.MAX_VALUE),
          values.whole("learning.decay.start", -1, Long.MAX_VALUE),
          values.whole("learning.decay.iterations", 1, Long.MAX_VALUE),
          values.wholeInt("learning.decay.power", 1, 16),
          (float) values.real("learning.decay.end", "of at least 0", x -> x >= 0));
    }

    private CommitMode commit(boolean deterministic) {
      CommitMode commit =
          values.choice("commit.mode", List.of("two-phase", "one-phase")).equals("one-phase")
              ? CommitMode.ONE_PHASE
              : CommitMode.TWO_PHASE;
      if (deterministic && commit == CommitMode.ONE_PHASE) {
        values.reject("commit.mode", "deterministic = true needs commit = two-phase");
        return CommitMode.TWO_PHASE;
      }
      return commit;
    }

    private Redundancy redundancy(int servers) {
      String redundancy = values.choice("redundancy", List.of("none", "ecrm", "checkpoint"));
      String code = values.choice("code", List.of("xor", "rs", "sum"));
      int k = values.wholeInt("k", 1, MAX_STRIPE - 1);
      int r = values.wholeInt("r", 1, MAX_STRIPE - 1);
      int nnReplicas = nnReplicas(r);
      boolean witness = values.flag("commit.witness");
      long windowBytes = values.bytes("delta.window.bytes", 1 << 16, Long.MAX_VALUE);
      String packing = values.choice("delta.packing", List.of("off", "on"));
      int scrub = values.wholeInt("scrub.rate", 0, Integer.MAX_VALUE);
      long recovery = values.bytes("recovery.rate", 1 << 10, Long.MAX_VALUE);
      if (redundancy.equals("checkpoint")) {
        values.reject("redundancy", "this version has no checkpoints; use none or ecrm");
      }
      if (k + r > MAX_STRIPE) {
        values.reject("k", "k + r must be at most " + MAX_STRIPE + ", but r is " + r);
      }
      if (!redundancy.equals("ecrm")) {
        return Redundancy.NONE;
      }
      if (servers < k + r) {
        values.reject(
            "cluster.servers",
            "k = %d and r = %d need at least %d servers: every member of a stripe is on another"
                .formatted(k, r, k + r));
      }
      if (r > 1 && !code.equals("rs")) {
        values.reject("code", code + " has one parity; r = " + r + " needs code = rs");
      }
      if (nnReplicas >= servers) {
        values.reject(
            "nn.replicas",
            "%d backups and the primary need %d servers, there are %d"
                .formatted(nnReplicas, nnReplicas + 1, servers));
      }
      return new Redundancy(
          code,
          k,
          r,
          nnReplicas,
          witness,
          windowBytes,
          packing.equals("on") ? Packing.ON : Packing.OFF,
          scrub,
          recovery);
    }

    private int nnReplicas(int r) {
      String text = values.text("nn.replicas");
      if (text.equals("auto")) {
        return r;
      }
      try {
        int count = Integer.parseInt(text);
        if (count >= 0 && count < MAX_NODES) {
          return count;
        }
      } catch (NumberFormatException e) {
        // Told below.
      }
      values.reject("nn.replicas", "must be auto or a whole number from 0, but is '" + text + "'");
      return r;
    }

    private TransportSettings transport() {
      String link = values.choice("transport.link", List.of("auto", "memory", "ipc", "udp"));
      String driver = values.choice("transport.driver", List.of("embedded", "external"));
      String aeronDir = values.text("transport.aeron.dir");
      if (driver.equals("external") && aeronDir.isEmpty()) {
        values.reject("transport.driver", "needs transport.aeron.dir, where the driver runs");
      }
      long term = values.bytes("transport.term.bytes", 1 << 16, MAX_TERM_BYTES);
      if (Long.bitCount(term) != 1) {
        values.reject("transport.term.bytes", "must be a power of two");
      }
      int mtu = (int) values.bytes("transport.mtu.bytes", 1024, MAX_MTU_BYTES);
      if (mtu % 32 != 0) {
        values.reject("transport.mtu.bytes", "must be a multiple of 32");
      }
      int windowBytes = (int) values.bytes("transport.window.bytes", 1 << 16, MAX_TERM_BYTES);
      if (windowBytes < mtu || windowBytes > term / 2) {
        values.reject(
            "transport.window.bytes",
            "must be from transport.mtu.bytes = %d to half of transport.term.bytes, %d"
                .formatted(mtu, term / 2));
      }
      return new TransportSettings(
          link.equals("auto")
              ? Optional.empty()
              : Optional.of(LinkKind.valueOf(link.toUpperCase(Locale.ROOT))),
          driver.equals("external"),
          Optional.of(aeronDir).filter(dir -> !dir.isEmpty()),
          port("transport.port"),
          (int) term,
          mtu,
          windowBytes);
    }

    private int port(String key) {
      return values.wholeInt(key, 0, 65535);
    }

    private int messageBytesMax(TransportSettings transport, int nnShardFloats) {
      int max = (int) values.bytes("message.bytes.max", 1 << 12, FramePool.maxLengthBytes());
      if (max > transport.termBytes() / 8) {
        values.reject(
            "message.bytes.max",
            "must be at most an eighth of transport.term.bytes, " + transport.termBytes() / 8);
      }
      long shardBytes = 4L * nnShardFloats + MESSAGE_HEADER_BYTES;
      if (max < shardBytes) {
        values.reject(
            "message.bytes.max",
            "must be at least %d to hold a shard of nn.shard.floats = %d"
                .formatted(shardBytes, nnShardFloats));
      }
      return max;
    }

    private InputSettings input() {
      String badLines = values.choice("data.bad-lines", List.of("fail", "skip"));
      long limit = values.whole("data.bad-lines-limit", 1, Long.MAX_VALUE);
      if (badLines.equals("fail") && values.isGiven("data.bad-lines-limit")) {
        values.reject("data.bad-lines-limit", "is only for data.bad-lines = skip");
      }
      String cache = values.text("data.cache");
      return new InputSettings(
          values.texts("data.paths"),
          values.texts("data.eval"),
          values.real("data.holdout", "from 0 to 0.9", x -> x >= 0 && x <= 0.9),
          values.flag("data.hash-ids"),
          badLines.equals("skip") ? limit : 0,
          values.bytes("data.split.bytes", 1 << 10, Long.MAX_VALUE),
          Optional.of(cache).filter(name -> !name.isEmpty()));
    }

    private LaunchSettings launch(InputSettings input, TransportSettings transport) {
      int epochs = values.wholeInt("epochs", 1, Integer.MAX_VALUE);
      long iterations = values.whole("iterations", 0, Long.MAX_VALUE);
      if (iterations > 0) {
        if (values.isGiven("epochs")) {
          values.reject("iterations", "excludes epochs; drop one of the two");
        }
        epochs = 0;
      }
      boolean processes = values.flag("cluster.processes");
      if (processes && transport.link().equals(Optional.of(LinkKind.MEMORY))) {
        values.reject("transport.link", "memory reaches one process only; use ipc, udp or auto");
      }
      List<String> seeds = new ArrayList<>();
      for (String seed : values.texts("cluster.seeds")) {
        if (!seed.matches("[^:\\s]+:[0-9]{1,5}")) {
          values.reject("cluster.seeds", "'" + seed + "' must be host:port");
        }
        seeds.add(seed);
      }
      String host = values.text("cluster.host");
      if (host.isBlank()) {
        values.reject("cluster.host", "must name this host, for instance 127.0.0.1");
      }
      ClusterSettings cluster =
          new ClusterSettings(
              processes,
              host,
              port("cluster.port"),
              List.copyOf(seeds),
              values.nanos("cluster.failure.pause"),
              values.nanos("cluster.join.timeout"),
              values.wholeInt("cluster.standby", 0, MAX_NODES),
              values.flag("cluster.restart"));
      return new LaunchSettings(
          epochs,
          iterations,
          input,
          cluster,
          transport,
          values.bytes("memory.child-heap.bytes", 64L << 20, 1L << 40),
          values.flag("memory.huge-pages"),
          values.nanos("progress.interval"));
    }
  }
}
