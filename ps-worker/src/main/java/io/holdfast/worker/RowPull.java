package io.holdfast.worker;

import io.holdfast.config.placement.NnShards;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.Outbox;
import io.holdfast.config.protocol.Payload;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/**
 * The pulls of one iteration: rows in messages of bounded size from each owner, and every NN shard.
 * Answers may come in any order and more than once.
 */
final class RowPull {
  /** A question that is not answered yet. {@code shard} is negative for rows. */
  private record Question(NodeId server, int from, int to, int shard) {}

  private final Iteration iteration;
  private final NnShards shards;
  private final int dim;
  private final Map<Long, Question> open = new HashMap<>();
  private long retryAtNanos;

  RowPull(Iteration iteration, NnShards shards, int dim) {
    this.iteration = iteration;
    this.shards = shards;
    this.dim = dim;
  }

  /**
   * Plans the questions.
   *
   * @param requests gives numbers that no other question of this worker has
   */
  void plan(int servers, int messageBytesMax, RequestNumbers requests) {
    int rowsPerMessage = Math.max(1, messageBytesMax / (dim * Float.BYTES));
    LookupPlan plan = iteration.plan;
    for (int server = 0; server < servers; server++) {
      int end = plan.start(server + 1);
      for (int from = plan.start(server); from < end; from += rowsPerMessage) {
        int to = Math.min(end, from + rowsPerMessage);
        open.put(requests.next(), new Question(NodeId.server(server), from, to, -1));
      }
    }
    for (int shard = 0; shard < shards.count(); shard++) {
      NodeId primary = NodeId.server(shards.primary(shard));
      open.put(requests.next(), new Question(primary, 0, 0, shard));
    }
  }

  /** Asks, again where it was asked before. */
  void ask(Outbox out, long nowNanos, long retryNanos) {
    retryAtNanos = nowNanos + retryNanos;
    open.forEach((request, question) -> out.send(question.server(), message(request, question)));
  }

  private DataMessage message(long request, Question question) {
    if (question.shard() >= 0) {
      int shard = question.shard();
      return new DataMessage.PullShard(request, shard, iteration.versions[shard]);
    }
    MemorySegment ids =
        iteration
            .rowIds()
            .asSlice(
                (long) question.from() * Long.BYTES,
                (long) (question.to() - question.from()) * Long.BYTES);
    return new DataMessage.Pull(request, Payload.of(ids));
  }

  /** A refusal that will pass: ask again soon. */
  void onRefused(long request, long nowNanos, long retryNanos) {
    if (open.containsKey(request)) {
      retryAtNanos = nowNanos + retryNanos / Push.REFUSED_RETRY_DIVISOR;
    }
  }

  /** Takes rows. Returns false, and stays open, if the answer does not fit the question. */
  boolean onRows(DataMessage.Rows rows) {
    Question question = open.get(rows.request());
    if (question == null || question.shard() >= 0) {
      return false;
    }
    long rowBytes = (long) dim * Float.BYTES;
    if (rows.values().lengthBytes() != (question.to() - question.from()) * rowBytes) {
      return false;
    }
    rows.values().writeTo(iteration.rowValues(), question.from() * rowBytes);
    open.remove(rows.request());
    return true;
  }

  /** Takes an NN shard, or the news that it has not changed. */
  boolean onShard(DataMessage.ShardValues values) {
    Question question = open.get(values.request());
    if (question == null || question.shard() != values.shard()) {
      return false;
    }
    int shard = values.shard();
    if (values.values().lengthBytes() == 0) {
      if (!values.version().equals(iteration.versions[shard])) {
        return false;
      }
    } else {
      if (values.values().lengthBytes() != (long) shards.length(shard) * Float.BYTES) {
        return false;
      }
      values.values().writeTo(iteration.parameters, (long) shards.from(shard) * Float.BYTES);
      iteration.versions[shard] = values.version();
    }
    open.remove(values.request());
    return true;
  }

  boolean complete() {
    return open.isEmpty();
  }

  /** When to ask again. */
  long retryAtNanos() {
    return retryAtNanos;
  }
}
