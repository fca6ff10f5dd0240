package io.holdfast.recovery;

import io.holdfast.config.control.WorkerControl.Lease;
import io.holdfast.config.control.WorkerControl.LeaseDone;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Deals the job's data out to workers, so that every stretch is trained exactly once per pass.
 *
 * <pre>
 *   pending --granted--> leased --LeaseDone--> finished
 *      ^                   |  \
 *      |  batches ran out  |   \ worker died
 *      +-- its rest -------+    +--> in doubt --recovered--> finished (what servers committed)
 *      +--------- what nobody committed -----------'
 * </pre>
 *
 * <p>Without fixed shares the next stretch goes to whoever asks. With fixed shares (deterministic
 * jobs) split {@code i} goes to worker {@code i % workers} and to nobody else, unless that worker
 * is dead. A job that ends by iterations deals out its budget with each lease, in pieces that
 * shrink towards the end (guided self-scheduling: Polychronopoulos and Kuck 1987), so that no
 * worker runs idle while another holds a large rest; what a lease did not use comes back with it.
 *
 * <p>A worker that asks when nothing is pending waits: what others hold may come back. It is told
 * that there is no more data only once everything is finished.
 */
final class DataLedger {
  /** What the ledger has to say. */
  interface Answers {
    void granted(int worker, long request, Lease lease);

    void noMoreData(int worker);

    /** The worker has nothing to train until it is granted a lease. May be said again. */
    void idle(int worker);
  }

  private record Held(Lease lease, int worker, Share share) {}

  /** A live worker as the ledger sees it. */
  private static final class Client {
    long request;
    boolean waiting;
    boolean toldEnd;
    Lease answer;
    long doneBatches;
  }

  private final TrainingData data;
  private final int workers;
  private final boolean fixedShares;
  private final List<Share> shares = new ArrayList<>();
  private final Answers answers;
  private final Map<Long, Held> held = new LinkedHashMap<>();
  private final TreeMap<Integer, Client> clients = new TreeMap<>();

  /** Batches that dead workers had reported, until they are recovered. */
  private final Map<Integer, Long> batchesOfDead = new HashMap<>();

  private final SpanSet finished = new SpanSet();
  private final List<Span> barren = new ArrayList<>();
  private long nextLease = 1;
  private long batches;
  private long reportedSamples;
  private long barrenSkipped;
  private long atRisk;
  private boolean anybodyDied;
  private String problem;

  /**
   * A ledger.
   *
   * @param workers number of workers that the job was started with
   * @param fixedShares every worker has its own share of splits and of iterations
   */
  DataLedger(TrainingData data, int workers, boolean fixedShares, Answers answers) {
    this.data = data;
    this.workers = workers;
    this.fixedShares = fixedShares;
    this.answers = answers;
    int count = fixedShares ? workers : 1;
    int withData = Math.min(count, data.splits().size());
    for (int i = 0; i < count; i++) {
      long budget =
          i < withData
              ? data.iterations() / withData + (i < data.iterations() % withData ? 1 : 0)
              : 0;
      shares.add(new Share(data, i, count, budget));
    }
  }

  /** A worker takes part from now on. */
  void join(int worker) {
    clients.put(worker, new Client());
  }

  boolean takesPart(int worker) {
    return clients.containsKey(worker);
  }

  /** A worker asks for data; {@code request} as in {@code RequestLease}. */
  void onRequest(int worker, long request) {
    Client client = client(worker);
    if (request < client.request) {
      return;
    }
    if (request == client.request && client.answer != null) {
      answers.granted(worker, request, client.answer);
      return;
    }
    client.request = request;
    client.answer = null;
    client.toldEnd = false;
    client.waiting = true;
    serve();
  }

  /**
   * A lease is done. Saying it again changes nothing.
   *
   * @throws ProtocolException if it contradicts the lease
   */
  void onDone(int worker, LeaseDone done) {
    Held entry = held.get(done.lease());
    if (entry == null && done.lease() < nextLease) {
      return;
    }
    if (entry == null || entry.worker != worker) {
      throw new ProtocolException(
          "worker-" + worker + " reports a lease it does not hold: " + done);
    }
    Lease lease = entry.lease;
    if (done.position() < lease.from()
        || done.position() > lease.to()
        || done.batches() < 0
        || done.batches() > lease.maxBatches()
        || (done.batches() == 0) != (done.position() == lease.from())) {
      throw new ProtocolException("worker-" + worker + " reports " + done + " of " + lease);
    }
    held.remove(lease.id());
    client(worker).doneBatches += done.batches();
    batches += done.batches();
    reportedSamples += done.samples();
    finished.add(new Span(lease.pass(), lease.file(), lease.from(), done.position()));
    Span rest = new Span(lease.pass(), lease.file(), done.position(), lease.to());
    if (done.batches() < lease.maxBatches()) {
      finished.add(rest);
      if (rest.from() < rest.to()) {
        barren.add(rest);
      }
      barrenSkipped += done.skipped();
    } else if (rest.from() < rest.to()) {
      entry.share.putBack(List.of(rest));
    }
    if (done.batches() > 0) {
      entry.share.markTrained();
    }
    if (data.endsByIterations()) {
      entry.share.spend(done.batches() - lease.maxBatches());
    }
    serve();
  }

  /** A worker that holds nothing leaves for good. */
  void onFinished(int worker) {
    clients.remove(worker);
  }

  /** A worker died. Its leases stay out until it is {@link #recover recovered}. */
  void onDown(int worker) {
    Client client = clients.remove(worker);
    anybodyDied = true;
    batchesOfDead.put(worker, client == null ? 0 : client.doneBatches);
    serve();
  }

  /**
   * A dead worker's transactions are settled everywhere: what of its leases is not committed goes
   * back.
   *
   * @param transactions how many that worker committed since it joined
   *     <p>A committed transaction may have no record any more, if the server that made it died
   *     together with the worker. It counts as an iteration all the same, for others have applied
   *     it; its data cannot be told from data that nobody trained and goes back, too. How often
   *     that happened shows at the end ({@link CommittedData}).
   * @param committed all data that servers committed
   * @param atRisk of the transactions, how many may have no record
   * @throws ProtocolException if the number cannot be
   */
  void recover(int worker, long transactions, SpanSet committed, long atRisk) {
    this.atRisk += atRisk;
    long used = transactions - batchesOfDead.remove(worker);
    long refund = -used;
    List<Held> open = held.values().stream().filter(each -> each.worker == worker).toList();
    for (Held each : open) {
      refund = Math.addExact(refund, data.endsByIterations() ? each.lease.maxBatches() : 0);
    }
    if (used < 0 || (open.isEmpty() && used > 0) || (data.endsByIterations() && refund < 0)) {
      throw new ProtocolException(
          "worker-"
              + worker
              + " died holding "
              + open.stream().map(Held::lease).toList()
              + " after "
              + used
              + " transactions on them");
    }
    batches += used;
    for (Held each : open.reversed()) {
      Lease lease = each.lease;
      held.remove(lease.id());
      Span whole = new Span(lease.pass(), lease.file(), lease.from(), lease.to());
      finished.addAll(committed.present(whole));
      each.share.putBack(committed.missing(whole));
      if (used > 0) {
        each.share.markTrained();
      }
      if (data.endsByIterations()) {
        // Leases of one worker from several shares: which share gets it back does not matter then.
        long part = Math.min(refund, lease.maxBatches());
        each.share.spend(-part);
        refund -= part;
      }
    }
    serve();
  }

  /** True if all data is finished. */
  boolean complete() {
    return problem != null || (held.isEmpty() && shares.stream().allMatch(Share::spent));
  }

  /** Why the data cannot be trained as asked. */
  Optional<String> problem() {
    return Optional.ofNullable(problem);
  }

  /** What was finished, whether trained or without a good line. */
  SpanSet finished() {
    return finished;
  }

  /** Stretches without a good line, in no transaction. */
  List<Span> barren() {
    return List.copyOf(barren);
  }

  /** Bad lines in {@link #barren}. */
  long barrenSkipped() {
    return barrenSkipped;
  }

  /** Iterations that workers reported and that dead workers were found to have committed. */
  long iterations() {
    return batches;
  }

  /** Of {@link #iterations}, how many at most may be in no server's record. */
  long atRisk() {
    return atRisk;
  }

  /** Samples that workers reported; what dead workers committed is not in it. */
  long reportedSamples() {
    return reportedSamples;
  }

  /** True if {@link #reportedSamples} must be all of them. */
  boolean reportsAreComplete() {
    return !anybodyDied;
  }

  private Client client(int worker) {
    Client client = clients.get(worker);
    if (client == null) {
      throw new ProtocolException("worker-" + worker + " takes no part in the job");
    }
    return client;
  }

  private void serve() {
    retireBarrenShares();
    Iterator<Map.Entry<Integer, Client>> each = clients.entrySet().iterator();
    while (each.hasNext()) {
      Map.Entry<Integer, Client> entry = each.next();
      if (entry.getValue().waiting) {
        grant(entry.getKey(), entry.getValue());
      }
    }
    boolean complete = complete();
    clients.forEach(
        (worker, client) -> {
          if (complete && client.waiting && !client.toldEnd) {
            client.toldEnd = true;
            answers.noMoreData(worker);
          } else if (!complete
              && client.waiting
              && held.values().stream().noneMatch(h -> h.worker == worker)) {
            answers.idle(worker);
          }
        });
  }

  private void grant(int worker, Client client) {
    Share share = shareFor(worker);
    if (share == null) {
      return;
    }
    Span span = share.next();
    long maxBatches = Long.MAX_VALUE;
    if (data.endsByIterations()) {
      boolean whole = fixedShares && shares.indexOf(share) == worker;
      maxBatches = whole ? share.budget() : Math.ceilDiv(share.budget(), 2L * Math.max(1, workers));
      share.spend(maxBatches);
    }
    Lease lease =
        new Lease(nextLease++, span.pass(), span.file(), span.from(), span.to(), maxBatches);
    held.put(lease.id(), new Held(lease, worker, share));
    client.waiting = false;
    client.answer = lease;
    answers.granted(worker, client.request, lease);
  }

  /** Its own share first, then those of the dead; null if nothing is pending there. */
  private Share shareFor(int worker) {
    if (!fixedShares) {
      return shares.getFirst().hasNext() ? shares.getFirst() : null;
    }
    if (shares.get(worker).hasNext()) {
      return shares.get(worker);
    }
    for (int owner = 0; owner < shares.size(); owner++) {
      if (!clients.containsKey(owner) && shares.get(owner).hasNext()) {
        return shares.get(owner);
      }
    }
    return null;
  }

  /** Iterations that a share without any good line cannot use go to the others. */
  private void retireBarrenShares() {
    if (!data.endsByIterations() || problem != null) {
      return;
    }
    for (Share share : shares) {
      if (!share.spent()
          && share.awaitsFirstBatch()
          && held.values().stream().noneMatch(each -> each.share == share)) {
        Optional<Share> heir = shares.stream().filter(other -> !barren(other)).findFirst();
        if (heir.isEmpty()) {
          problem = "the data holds not a single good line";
          return;
        }
        heir.get().spend(-share.budget());
        share.spend(share.budget());
      }
    }
  }

  private boolean barren(Share share) {
    return share.awaitsFirstBatch() && held.values().stream().noneMatch(h -> h.share == share);
  }
}
