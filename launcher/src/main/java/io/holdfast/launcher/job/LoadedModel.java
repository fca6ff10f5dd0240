package io.holdfast.launcher.job;

import io.holdfast.checkpoint.model.IdMappingKind;
import io.holdfast.checkpoint.model.ModelDescription;
import io.holdfast.checkpoint.model.SavedModel;
import io.holdfast.checkpoint.model.SavedModelException;
import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.DataSpec;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.LearningRate;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.model.ModelVisitor;
import io.holdfast.config.model.NnLayout;
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NnShards;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.transport.Endpoint;
import io.holdfast.config.transport.InMemoryNetwork;
import io.holdfast.launcher.progress.Progress;
import io.holdfast.server.ServerCore;
import io.holdfast.server.storage.MemorySettings;
import io.holdfast.worker.ClusterReader;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A saved model on one server inside this process, and a reader that asks it: evaluation and
 * prediction take the same way to a row as on a cluster.
 */
final class LoadedModel implements AutoCloseable {
  private static final int BATCH = 2048;
  private static final int SHARD_FLOATS = 1 << 15;
  private static final int MESSAGE_BYTES = 1 << 20;
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);
  private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final int IMPORT_ROWS = 4096;
  private static final Member SERVER = new Member(NodeId.server(0), 1, "");
  private static final Member READER = new Member(NodeId.reader(0), 2, "");

  private final SavedModel saved;
  private final JobSpec job;
  private final InMemoryNetwork network = new InMemoryNetwork();
  private final ServerCore server;
  private final Thread serverThread;
  private final ClusterReader reader;
  private volatile boolean running = true;

  private LoadedModel(SavedModel saved, JobSpec job, MemorySettings memory) throws IOException {
    this.saved = saved;
    this.job = job;
    PlacementMap map = new PlacementMap(new Epoch(1, 1), 1, List.of(SERVER, READER));
    Endpoint endpoint = new Endpoint(SERVER, network.open(SERVER.node()));
    endpoint.adopt(map);
    this.server =
        new ServerCore(
            SERVER.node(), job, map, memory, endpoint, message -> {}, endpoint.counters());
    this.serverThread = Thread.ofPlatform().daemon().name("model").unstarted(() -> serve(endpoint));
    this.reader =
        new ClusterReader(READER, job, () -> map, network.open(READER.node()), PATIENCE_NANOS);
  }

  /**
   * Loads a model.
   *
   * @throws BadDataException if the model is not as it was saved
   */
  static LoadedModel open(Path directory, DataSpec data, MemorySettings memory, Progress progress)
      throws IOException {
    try {
      SavedModel saved = SavedModel.open(directory);
      ModelDescription description = saved.manifest().description();
      DataSpec mapped =
          new DataSpec(
              data.files(),
              data.lengths(),
              description.idMapping() == IdMappingKind.HASH,
              data.badLineLimit(),
              data.cache());
      LoadedModel model = new LoadedModel(saved, job(description, mapped), memory);
      try {
        model.load(progress);
      } catch (IOException | RuntimeException e) {
        model.close();
        throw e;
      }
      model.serverThread.start();
      return model;
    } catch (SavedModelException e) {
      throw new BadDataException(e.getMessage(), e);
    }
  }

  private static JobSpec job(ModelDescription description, DataSpec data) {
    return new JobSpec(
        description.model(),
        description.optimizer(),
        LearningRate.constant(1),
        description.seed(),
        1,
        1,
        Redundancy.NONE,
        CommitMode.TWO_PHASE,
        SHARD_FLOATS,
        BATCH,
        SyncMode.ASYNC,
        0,
        false,
        1,
        description.settings().getOrDefault("dense.engine", "nd4j"),
        1,
        MESSAGE_BYTES,
        RETRY_NANOS,
        MESSAGE_BYTES,
        data);
  }

  private void load(Progress progress) throws IOException {
    long total = saved.manifest().rows();
    try (Arena arena = Arena.ofConfined()) {
      Importer importer = new Importer(arena, total, progress);
      saved.visit(importer);
      importer.flush();
    }
  }

  /** Gathers rows into batches for the store. */
  private final class Importer implements ModelVisitor {
    private final long total;
    private final Progress progress;
    private final int rowBytes = job.rowLayout().rowBytes();
    private final Arena arena;
    private final MemorySegment ids;
    private final MemorySegment counters;
    private final MemorySegment values;
    private int count;
    private long done;

    Importer(Arena arena, long total, Progress progress) {
      this.arena = arena;
      this.total = total;
      this.progress = progress;
      ids = arena.allocate((long) IMPORT_ROWS * Long.BYTES);
      counters = arena.allocate((long) IMPORT_ROWS * Integer.BYTES);
      values = arena.allocate((long) IMPORT_ROWS * rowBytes);
    }

    @Override
    public void row(long row, int updates, MemorySegment from, long offsetBytes) {
      ids.setAtIndex(ValueLayout.JAVA_LONG, count, row);
      counters.setAtIndex(ValueLayout.JAVA_INT, count, updates);
      MemorySegment.copy(from, offsetBytes, values, (long) count * rowBytes, rowBytes);
      count++;
      if (count == IMPORT_ROWS) {
        flush();
      }
    }

    void flush() {
      int taken =
          server
              .rows()
              .importRows(
                  ids.asSlice(0, (long) count * Long.BYTES),
                  counters.asSlice(0, (long) count * Integer.BYTES),
                  values.asSlice(0, (long) count * rowBytes),
                  count);
      if (taken != count) {
        throw new BadDataException(
            saved.directory() + " holds " + (count - taken) + " rows that its tables have not");
      }
      done += count;
      count = 0;
      progress.at("loading model", done, total, "rows");
    }

    @Override
    public void nn(long updates, MemorySegment weights, MemorySegment state) {
      NnShards shards = job.nnShards();
      long parameters = NnLayout.of(job.model()).parameters();
      long stateVectors = state.byteSize() / (parameters * Float.BYTES);
      for (int shard = 0; shard < shards.count(); shard++) {
        long at = (long) shards.from(shard) * Float.BYTES;
        long bytes = (long) shards.length(shard) * Float.BYTES;
        MemorySegment all = arena.allocate((1 + stateVectors) * bytes, 64);
        MemorySegment.copy(weights, at, all, 0, bytes);
        for (int vector = 0; vector < stateVectors; vector++) {
          MemorySegment.copy(
              state, vector * parameters * Float.BYTES + at, all, (1 + vector) * bytes, bytes);
        }
        if (!server.nn().importShard(shard, updates, all)) {
          throw new BadDataException(
              saved.directory() + ": NN shard " + shard + " does not fit the model");
        }
      }
    }
  }

  private void serve(Endpoint endpoint) {
    try (endpoint) {
      while (running) {
        int work = endpoint.drain();
        work +=
            endpoint.poll(
                (from, message) -> server.onMessage(from, message, System.nanoTime()), 64);
        endpoint.idle(work);
      }
    }
  }

  JobSpec job() {
    return job;
  }

  ClusterReader reader() {
    return reader;
  }

  String digest() {
    return saved.manifest().modelDigest();
  }

  @Override
  public void close() {
    reader.close();
    running = false;
    try {
      if (serverThread.getState() == Thread.State.NEW) {
        serverThread.start(); // It sees that it is not wanted and closes its endpoint.
      }
      serverThread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    server.close();
    network.close();
  }
}
