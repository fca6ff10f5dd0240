package io.holdfast.worker;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.StandIns;
import io.holdfast.config.placement.NnShards;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.Outbox;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * The pulls of one iteration: rows in messages of bounded size from each owner, or from those who
 * stand in for it, and every NN shard. Answers may come in any order and more than once.
 */
final class RowPull {
  /** A question that is not answered yet. {@code shard} is negative for rows. */
  private record Question(NodeId server, PlannedRows rows, int shard) {}

  private final Iteration iteration;
  private final NnShards shards;
  private final int dim;
  private final int rowsPerMessage;
  private final RequestNumbers requests;
  private final Map<Long, Question> open = new HashMap<>();
  private StandIns standIns;
  private long retryAtNanos;

  /**
   * Plans the questions.
   *
   * @param requests gives numbers that no other question of this worker has
   */
  RowPull(Iteration iteration, JobSpec job, StandIns standIns, RequestNumbers requests) {
    this.iteration = iteration;
    this.shards = job.nnShards();
    this.dim = job.model().dim();
    this.rowsPerMessage = Math.max(1, job.messageBytesMax() / (dim * Float.BYTES));
    this.requests = requests;
    this.standIns = standIns;
    LookupPlan plan = iteration.plan;
    for (int server = 0; server < standIns.servers(); server++) {
      PlannedRows rows = PlannedRows.run(plan.start(server), plan.start(server + 1));
      if (standIns.isLost(server)) {
        split(rows);
      } else {
        cut(server, rows);
      }
    }
    for (int shard = 0; shard < shards.count(); shard++) {
      open(deputy(shard), PlannedRows.none(), shard);
    }
  }

  /** Questions to all who have some of these rows now. */
  private void split(PlannedRows rows) {
    PlannedRows[] byServer = rows.byServer(iteration.plan, standIns);
    for (int server = 0; server < byServer.length; server++) {
      if (byServer[server] != null) {
        cut(server, byServer[server]);
      }
    }
  }

  private void cut(int server, PlannedRows rows) {
    for (int from = 0; from < rows.count(); from += rowsPerMessage) {
      open(server, rows.slice(from, Math.min(rows.count(), from + rowsPerMessage)), -1);
    }
  }

  private void open(int server, PlannedRows rows, int shard) {
    open.put(requests.next(), new Question(NodeId.server(server), rows, shard));
  }

  private int deputy(int shard) {
    int server = standIns.deputy(shards.primary(shard));
    if (server < 0) {
      throw new IllegalStateException("no live server has NN shard " + shard);
    }
    return server;
  }

  /**
   * Another epoch: questions to servers that have not any more what was asked for are replaced by
   * others, under new numbers, to those that have. Nothing is sent.
   */
  void move(StandIns newest) {
    if (newest == standIns) {
      return;
    }
    standIns = newest;
    List<Question> moved = new ArrayList<>();
    for (Iterator<Question> each = open.values().iterator(); each.hasNext(); ) {
      Question question = each.next();
      if (!isRight(question)) {
        each.remove();
        moved.add(question);
      }
    }
    for (Question question : moved) {
      if (question.shard() >= 0) {
        open(deputy(question.shard()), question.rows(), question.shard());
      } else {
        split(question.rows());
      }
    }
  }

  private boolean isRight(Question question) {
    int server = question.server().index();
    if (standIns.isLost(server)) {
      return false;
    }
    return question.shard() >= 0
        ? deputy(question.shard()) == server
        : question.rows().areAt(server, iteration.plan, standIns);
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
    return new DataMessage.Pull(request, question.rows().ids(iteration));
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
    if (rows.values().lengthBytes() != question.rows().count() * rowBytes) {
      return false;
    }
    question.rows().take(rows.values(), iteration, dim);
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
