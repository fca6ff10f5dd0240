package io.holdfast.worker;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.StandIns;
import io.holdfast.config.model.ModelVisitor;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NnShards;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.config.transport.DataLink;
import io.holdfast.config.transport.Endpoint;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Reads from the servers as a node that takes part in no transaction. Calls block until they are
 * answered; questions are repeated, also in a newer epoch, where they go to those who stand in for
 * servers that were lost. For one thread. The model should be at rest: what is read while workers
 * train is a mixture of moments.
 */
public final class ClusterReader implements AutoCloseable {
  private static final int POLL_LIMIT = 64;

  /** Rows of one step of the walk over the model. */
  private static final long WINDOW_ROWS = 1 << 16;

  private final JobSpec job;
  private final Endpoint endpoint;
  private final RequestNumbers requests = new RequestNumbers();
  private final long patienceNanos;
  private final Supplier<PlacementMap> newestMap;
  private StandIns standIns;

  /** No server answered in time. */
  public static final class NoAnswerException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NoAnswerException(String message) {
      super(message);
    }
  }

  /** The job has ended, and its servers with it. */
  public static final class JobOverException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public JobOverException(String reason) {
      super("the job is over: " + reason);
    }
  }

  /**
   * A reader.
   *
   * @param self a READER of the map
   * @param newestMap tells the newest map, cheaply; throws {@link JobOverException} once there is
   *     nothing left to read
   * @param link its data link; closed with the reader
   * @param patienceNanos how long a question may stay unanswered
   */
  public ClusterReader(
      Member self,
      JobSpec job,
      Supplier<PlacementMap> newestMap,
      DataLink link,
      long patienceNanos) {
    this.job = job;
    this.endpoint = new Endpoint(self, link);
    this.patienceNanos = patienceNanos;
    this.newestMap = newestMap;
    PlacementMap map = newestMap.get();
    endpoint.adopt(map);
    this.standIns = StandIns.of(job, map);
  }

  JobSpec job() {
    return job;
  }

  RequestNumbers requests() {
    return requests;
  }

  Endpoint endpoint() {
    return endpoint;
  }

  /** Those of the newest map. */
  StandIns standIns() {
    return standIns;
  }

  /** What takes the answers of {@link #await}. */
  interface Answers {
    void onMessage(NodeId from, DataMessage message);
  }

  /**
   * Asks and waits. A server that says that it is busy is waited for: one that stands in has to
   * decode all that is asked for first.
   *
   * @param ask sends all questions that are still open; called again when answers are late and when
   *     there is a newer map
   * @param answers takes what arrives
   * @param complete tells when all is there
   */
  void await(Runnable ask, Answers answers, BooleanSupplier complete) {
    long asked = System.nanoTime();
    long[] heard = {asked};
    Answers listener =
        (from, message) -> {
          if (message instanceof DataMessage.Refused refused
              && refused.reason() == RefusalReason.BUSY) {
            heard[0] = System.nanoTime();
          }
          answers.onMessage(from, message);
        };
    ask.run();
    while (!complete.getAsBoolean()) {
      boolean moved = step(listener);
      long now = System.nanoTime();
      requirePatience(now - heard[0]);
      if (moved || now - asked > job.retryNanos()) {
        asked = now;
        ask.run();
      }
    }
  }

  /**
   * Sends what waited and takes what arrived, or idles a little.
   *
   * @return whether there is a newer map: servers that had it before may have refused questions
   */
  boolean step(Answers answers) {
    PlacementMap map = newestMap.get();
    boolean moved = endpoint.adopt(map);
    if (moved) {
      standIns = StandIns.of(job, map);
    }
    int work = endpoint.drain();
    work +=
        endpoint.poll(
            (from, message) -> {
              requireUnrefused(from, message);
              answers.onMessage(from, message);
            },
            POLL_LIMIT);
    if (Thread.interrupted()) {
      Thread.currentThread().interrupt();
      throw new NoAnswerException("interrupted while waiting for servers");
    }
    endpoint.idle(work);
    return moved;
  }

  /** Throws if nothing was answered for too long. */
  void requirePatience(long silentNanos) {
    if (silentNanos > patienceNanos) {
      throw new NoAnswerException(
          "servers have not answered for "
              + TimeUnit.NANOSECONDS.toSeconds(silentNanos)
              + " s; is one of them stopped?");
    }
  }

  private static void requireUnrefused(NodeId from, DataMessage message) {
    if (message instanceof DataMessage.Refused refused
        && refused.reason() != RefusalReason.STALE_EPOCH
        && refused.reason() != RefusalReason.BUSY) {
      throw new IllegalStateException(from + " refused a reader: " + refused.reason());
    }
  }

  /** Shows the whole model in canonical order. */
  public void visit(ModelVisitor visitor, RowProgress progress) {
    long rows = job.model().totalRows();
    for (long from = 0; from < rows; from += WINDOW_ROWS) {
      long to = Math.min(rows, from + WINDOW_ROWS);
      visitWindow(from, to, visitor);
      progress.at(to, rows);
    }
    visitNn(visitor);
  }

  /** Hears how far a walk has come. */
  @FunctionalInterface
  public interface RowProgress {
    /** {@code done} of {@code total} rows are behind. */
    void at(long done, long total);
  }

  /** What one server has told of a window of its own rows, or of a lost server's. */
  private static final class ServerRows {
    final int owner;
    final int server;
    long next;
    final List<MemorySegment> ids = new ArrayList<>();
    final List<MemorySegment> counters = new ArrayList<>();
    final List<MemorySegment> values = new ArrayList<>();
    int block;
    long at;

    ServerRows(int owner, int server, long next) {
      this.owner = owner;
      this.server = server;
      this.next = next;
    }

    boolean has() {
      while (block < ids.size() && at * Long.BYTES >= ids.get(block).byteSize()) {
        block++;
        at = 0;
      }
      return block < ids.size();
    }

    long row() {
      return ids.get(block).get(ValueLayout.JAVA_LONG_UNALIGNED, at * Long.BYTES);
    }
  }

  private void visitWindow(long from, long to, ModelVisitor visitor) {
    long rowBytes = job.rowLayout().rowBytes();
    try (Arena arena = Arena.ofConfined()) {
      List<ServerRows> told = new ArrayList<>();
      Map<Long, ServerRows> open = new HashMap<>();
      for (int server = 0; server < standIns.servers(); server++) {
        plan(server, from, told, open);
      }
      await(
          () -> {
            moveExports(told, open);
            open.forEach((request, server) -> ask(request, server, to));
          },
          (sender, message) -> {
            if (message instanceof DataMessage.ExportedRows rows) {
              ServerRows server = open.remove(rows.request());
              if (server != null) {
                take(arena, server, rows, rowBytes);
                if (server.next < to) {
                  long request = requests.next();
                  open.put(request, server);
                  ask(request, server, to);
                }
              }
            }
          },
          open::isEmpty);
      merge(told, rowBytes, visitor);
    }
  }

  /** Opens questions to all who have some of an owner's rows now. */
  private void plan(int owner, long from, List<ServerRows> told, Map<Long, ServerRows> open) {
    for (int server = 0; server < standIns.servers(); server++) {
      if (has(server, owner)) {
        ServerRows rows = new ServerRows(owner, server, from);
        told.add(rows);
        open.put(requests.next(), rows);
      }
    }
  }

  private boolean has(int server, int owner) {
    return server == owner ? !standIns.isLost(owner) : standIns.standsIn(server, owner);
  }

  /** What a server that was lost has not told is asked of those who stand in for it. */
  private void moveExports(List<ServerRows> told, Map<Long, ServerRows> open) {
    List<ServerRows> moved = new ArrayList<>();
    for (Iterator<ServerRows> each = open.values().iterator(); each.hasNext(); ) {
      ServerRows rows = each.next();
      if (!has(rows.server, rows.owner)) {
        each.remove();
        moved.add(rows);
      }
    }
    moved.forEach(rows -> plan(rows.owner, rows.next, told, open));
  }

  private void ask(long request, ServerRows rows, long to) {
    endpoint.send(
        NodeId.server(rows.server), new DataMessage.Export(request, rows.owner, rows.next, to));
  }

  private static void take(
      Arena arena, ServerRows server, DataMessage.ExportedRows rows, long rowBytes) {
    long count = rows.rows().lengthBytes() / Long.BYTES;
    if (rows.counters().lengthBytes() != count * Integer.BYTES
        || rows.values().lengthBytes() != count * rowBytes
        || rows.nextRow() <= server.next) {
      throw new IllegalStateException(
          "a server exported "
              + count
              + " rows with "
              + rows.values().lengthBytes()
              + " bytes of values, next "
              + rows.nextRow()
              + " after "
              + server.next);
    }
    server.ids.add(arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes(rows.rows())));
    server.counters.add(arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes(rows.counters())));
    server.values.add(arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes(rows.values())));
    server.next = rows.nextRow();
  }

  private static byte[] bytes(io.holdfast.config.protocol.Payload payload) {
    return payload.segment().toArray(ValueLayout.JAVA_BYTE);
  }

  /** Rows come sorted from each server; the smallest head goes first. */
  private static void merge(List<ServerRows> told, long rowBytes, ModelVisitor visitor) {
    while (true) {
      ServerRows least = null;
      for (ServerRows server : told) {
        if (server.has() && (least == null || server.row() < least.row())) {
          least = server;
        }
      }
      if (least == null) {
        return;
      }
      visitor.row(
          least.row(),
          least
              .counters
              .get(least.block)
              .get(ValueLayout.JAVA_INT_UNALIGNED, least.at * Integer.BYTES),
          least.values.get(least.block),
          least.at * rowBytes);
      least.at++;
    }
  }

  private void visitNn(ModelVisitor visitor) {
    NnShards shards = job.nnShards();
    long parameters = shards.parameters();
    int stateVectors = job.optimizer().forNn().kind().stateFloats(1);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment weights = arena.allocate(parameters * Float.BYTES, 64);
      MemorySegment state = arena.allocate(Math.max(1, stateVectors * parameters * Float.BYTES));
      Map<Long, Integer> open = new HashMap<>();
      for (int shard = 0; shard < shards.count(); shard++) {
        open.put(requests.next(), shard);
      }
      long[] updates = {-1};
      await(
          () ->
              open.forEach(
                  (request, shard) ->
                      endpoint.send(
                          NodeId.server(deputy(shards, shard)),
                          new DataMessage.ExportShard(request, shard))),
          (sender, message) -> {
            if (message instanceof DataMessage.ExportedShard exported
                && open.remove(exported.request()) != null) {
              int shard = exported.shard();
              long bytes = (long) shards.length(shard) * Float.BYTES;
              long at = (long) shards.from(shard) * Float.BYTES;
              MemorySegment values = exported.values().segment();
              if (values.byteSize() != (1 + stateVectors) * bytes) {
                throw new IllegalStateException(
                    sender + " exported NN shard " + shard + " of " + values.byteSize() + " bytes");
              }
              MemorySegment.copy(values, 0, weights, at, bytes);
              for (int vector = 0; vector < stateVectors; vector++) {
                MemorySegment.copy(
                    values,
                    (1 + vector) * bytes,
                    state,
                    vector * parameters * Float.BYTES + at,
                    bytes);
              }
              updates[0] = Math.max(updates[0], exported.updates());
            }
          },
          open::isEmpty);
      visitor.nn(updates[0], weights, state.asSlice(0, stateVectors * parameters * Float.BYTES));
    }
  }

  private int deputy(NnShards shards, int shard) {
    int server = standIns.deputy(shards.primary(shard));
    if (server < 0) {
      throw new IllegalStateException("no live server has NN shard " + shard);
    }
    return server;
  }

  @Override
  public void close() {
    endpoint.close();
  }
}
