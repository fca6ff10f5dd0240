package io.holdfast.launcher.fault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.control.WorkerControl.EpochCommitted;
import io.holdfast.config.placement.NodeId;
import io.holdfast.launcher.report.Fault;
import io.holdfast.recovery.JobPhase;
import io.holdfast.recovery.JobProgress;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FaultLogTest {
  private static final NodeId SERVER = NodeId.server(1);

  private long millis = 1_000_000;
  private final FaultLog log = new FaultLog(() -> millis * 1_000_000);

  private void at(long ms, JobPhase phase, int workers, long samples, NodeId... lost) {
    millis = 1_000_000 + ms;
    log.onProgress(
        new JobProgress(phase, 5, workers, List.of(lost), null, samples, samples / 10, 0.5, 0.7));
  }

  private void train(long ms, long samples, NodeId... lost) {
    at(ms, JobPhase.TRAINING, 2, samples, lost);
  }

  private void committed(long ms, long epoch) {
    millis = 1_000_000 + ms;
    log.onCommitted(new EpochCommitted(NodeId.worker(0), 7, epoch));
  }

  @Test
  void shouldTellOfAServerThatWasKilledFromTheKillToTheRebuild() {
    train(0, 0);
    committed(50, 1);
    train(1000, 1000);
    FaultSpec spec = FaultParser.parse("kill:server-1@iteration=100");
    FaultLog.Entry _ = log.injected(spec, SERVER.toString(), 42);
    millis += 30;
    log.ended(SERVER, 42);
    train(1060, 1000, SERVER);
    committed(1100, 1); // Late news of the old epoch says nothing of the new one.
    committed(1300, 2);
    committed(1400, 2);
    train(2000, 1450, SERVER);
    train(3000, 2350, SERVER);
    train(3001, 2350);
    train(4001, 3350);
    at(4002, JobPhase.COUNTING, 2, 3350);
    Fault fault = only(log.faults(77));
    assertEquals("server-died", fault.event());
    assertEquals("server-1", fault.node());
    assertEquals(Optional.of(spec.text()), fault.spec());
    assertEquals(1, fault.atSeconds());
    assertEquals(60, fault.detectedMillis());
    assertEquals(300, fault.firstCommitMillis());
    assertEquals(2001, fault.rebuiltMillis());
    assertEquals(Optional.of(77L), fault.rowsDegraded());
    assertEquals(1000, fault.throughputBefore(), 1e-6);
    assertEquals(1350 / 2.001, fault.throughputDuring(), 1e-6);
    assertEquals(1000, fault.throughputAfter(), 1);
  }

  @Test
  void shouldTellOfDeathsThatNobodyOrdered() {
    train(0, 0);
    train(1000, 1000);
    log.ended(NodeId.worker(1), 43);
    train(2000, 1500);
    train(3000, 2000, SERVER); // A server of another host: nobody saw its process end.
    List<Fault> faults = log.faults(0);
    assertEquals(2, faults.size());
    assertEquals("worker-died", faults.get(0).event());
    assertEquals(Optional.empty(), faults.get(0).spec());
    assertEquals(0, faults.get(0).detectedMillis());
    assertEquals("server-died", faults.get(1).event());
    assertEquals(3, faults.get(1).atSeconds());
  }

  @Test
  void shouldTellOfAPauseThatNobodyHadToTakeForADeath() {
    train(0, 0);
    train(1000, 1000);
    FaultSpec spec = FaultParser.parse("pause:server-1:500ms@time=1s");
    FaultLog.Entry entry = log.injected(spec, SERVER.toString(), 42);
    train(1400, 1000);
    millis = 1_000_000 + 1500;
    log.lifted(entry);
    train(1600, 1100);
    train(2500, 2000);
    at(2501, JobPhase.COUNTING, 2, 2000);
    Fault fault = only(log.faults(0));
    assertEquals("pause", fault.event());
    assertTrue(Double.isNaN(fault.detectedMillis()));
    assertEquals(600, fault.firstCommitMillis());
    assertEquals(Optional.empty(), fault.rowsDegraded());
    assertEquals(100, fault.throughputDuring(), 1e-6);
    assertEquals(1000, fault.throughputAfter(), 60);
  }

  @Test
  void shouldTakeAStoppedWorkerThatIsMissedForDead() {
    at(0, JobPhase.TRAINING, 2, 0);
    FaultLog.Entry entry = log.injected(FaultParser.parse("stop:worker-1@time=1s"), "worker-1", 43);
    at(8000, JobPhase.TRAINING, 1, 900);
    log.lifted(entry);
    log.ended(NodeId.worker(1), 43); // It came back, was refused, and ended: no second death.
    Fault fault = only(log.faults(0));
    assertEquals("worker-died", fault.event());
    assertEquals(8000, fault.detectedMillis());
  }

  @Test
  void shouldNotTakeDamageForTheCauseOfALaterDeath() {
    train(0, 0);
    FaultLog.Entry _ =
        log.injected(FaultParser.parse("corrupt:server-1@time=0s"), SERVER.toString(), 42);
    train(1000, 100);
    log.ended(SERVER, 42);
    train(1050, 100, SERVER);
    List<Fault> faults = log.faults(0);
    assertEquals(List.of("corrupt", "server-died"), faults.stream().map(Fault::event).toList());
    assertEquals(50, faults.get(1).detectedMillis());
  }

  @Test
  void shouldTellOfAFaultThatDidNotHappen() {
    train(0, 0);
    log.neverInjected(FaultParser.parse("kill:server-1@iteration=100"));
    Fault fault = only(log.faults(0));
    assertEquals("did-not-happen", fault.event());
    assertTrue(Double.isNaN(fault.atSeconds()));
  }

  private static Fault only(List<Fault> faults) {
    assertEquals(1, faults.size(), faults::toString);
    return faults.getFirst();
  }
}
