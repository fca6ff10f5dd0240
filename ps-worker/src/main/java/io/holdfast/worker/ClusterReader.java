package io.holdfast.worker;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.model.ModelVisitor;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NnShards;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.config.transport.DataLink;
import io.holdfast.config.transport.Endpoint;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Reads from the servers as a node that takes part in no transaction. Calls block until they are
 * answered; questions are repeated, also in a newer epoch. For one thread. The model should be at
 * rest: what is read while workers train is a mixture of moments.
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
    endpoint.adopt(newestMap.get());
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

  /** What takes the answers of {@link #await}. */
  interface Answers {
    void onMessage(NodeId from, DataMessage message);
  }

  /**
   * Asks and waits.
   *
   * @param ask sends all questions that are still open; called again when answers are late
   * @param answers takes what arrives
   * @param complete tells when all is there
   */
  void await(Runnable ask, Answers answers, BooleanSupplier complete) {
    long start = System.nanoTime();
    long asked = start;
    ask.run();
    while (!complete.getAsBoolean()) {
      boolean moved = step(answers);
      long now = System.nanoTime();
      requirePatience(now - start);
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
    boolean moved = endpoint.adopt(newestMap.get());
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
    StripeMap map = job.stripeMap();
    for (long from = 0; from < rows; from += WINDOW_ROWS) {
      long to = Math.min(rows, from + WINDOW_ROWS);
      visitWindow(map, from, to, visitor);
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

  /** What one server has told of a window. */
  private static final class ServerRows {
    long request;
    long next;
    final List<MemorySegment> ids = new ArrayList<>();
    final List<MemorySegment> counters = new ArrayList<>();
    final List<MemorySegment> values = new ArrayList<>();
    int block;
    long at;

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

  private void visitWindow(StripeMap map, long from, long to, ModelVisitor visitor) {
    long rowBytes = job.rowLayout().rowBytes();
    try (Arena arena = Arena.ofConfined()) {
      ServerRows[] told = new ServerRows[map.servers()];
      Map<Long, ServerRows> open = new HashMap<>();
      for (int server = 0; server < told.length; server++) {
        told[server] = new ServerRows();
        told[server].next = from;
        told[server].request = requests.next();
        open.put(told[server].request, told[server]);
      }
      await(
          () -> {
            for (int server = 0; server < told.length; server++) {
              if (told[server].next < to) {
                ask(server, told[server], to);
              }
            }
          },
          (sender, message) -> {
            if (message instanceof DataMessage.ExportedRows rows) {
              ServerRows server = open.remove(rows.request());
              if (server != null) {
                take(arena, server, rows, rowBytes);
                if (server.next < to) {
                  server.request = requests.next();
                  open.put(server.request, server);
                  ask(sender.index(), server, to);
                }
              }
            }
          },
          open::isEmpty);
      merge(told, rowBytes, visitor);
    }
  }

  private void ask(int server, ServerRows told, long to) {
    endpoint.send(
        NodeId.server(server), new DataMessage.Export(told.request, server, told.next, to));
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
  private static void merge(ServerRows[] told, long rowBytes, ModelVisitor visitor) {
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
                          NodeId.server(shards.primary(shard)),
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

  @Override
  public void close() {
    endpoint.close();
  }
}
