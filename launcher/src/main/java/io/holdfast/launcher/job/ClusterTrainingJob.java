package io.holdfast.launcher.job;

import io.holdfast.config.control.RedundancyStatistics;
import io.holdfast.config.control.ServerControl.ServerStatistics;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.transport.LinkFactory;
import io.holdfast.criteo.CriteoDataException;
import io.holdfast.launcher.control.ClusterMember;
import io.holdfast.launcher.control.ReaderSeat;
import io.holdfast.launcher.fault.FaultLog;
import io.holdfast.launcher.fault.FaultScheduler;
import io.holdfast.launcher.fault.FaultTrigger;
import io.holdfast.launcher.progress.Progress;
import io.holdfast.launcher.report.Bytes;
import io.holdfast.launcher.report.Memory;
import io.holdfast.launcher.report.Phases;
import io.holdfast.launcher.report.Quality;
import io.holdfast.launcher.report.RedundancyCost;
import io.holdfast.launcher.report.TrainResult;
import io.holdfast.launcher.report.VerifyResult;
import io.holdfast.recovery.JobOutcome.JobFailed;
import io.holdfast.recovery.JobOutcome.JobLost;
import io.holdfast.recovery.JobOutcome.JobTrained;
import io.holdfast.worker.ClusterReader;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Trains on a cluster: opens the data, starts the coordinator and whatever nodes are its own to
 * start, waits for the outcome, then reads the model.
 */
public final class ClusterTrainingJob implements TrainingJob {
  /** A server that does not answer a reader for so long is not going to. */
  private static final long READER_PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

  @Override
  public TrainResult run(TrainRequest request, Progress progress)
      throws IOException, InterruptedException {
    try (JobData data = JobData.open(request, progress)) {
      JobSpec job = request.job().withData(data.spec());
      TrainingWatch watch = new TrainingWatch(progress, data.training());
      FaultLog log = new FaultLog();
      AtomicReference<FaultScheduler> faults = new AtomicReference<>();
      SecureRandom random = new SecureRandom();
      try (LinkFactory links = Links.open(request.launch(), request.link(), job);
          ClusterMember control =
              ClusterMember.start(request.launch().cluster(), ClusterMember.Part.COORDINATOR)) {
        control.startCoordinator(
            job,
            data.training(),
            random.nextLong(),
            request.launch().cluster().standby(),
            Links.reachedFromOutside(request, links),
            watch::onOutcome,
            told -> {
              watch.onProgress(told);
              log.onProgress(told);
              if (faults.get() != null) {
                faults.get().onProgress(told);
              }
            },
            log::onCommitted);
        try (Nodes nodes = Nodes.start(request, job, control, links, random, log);
            FaultScheduler scheduler = scheduler(request, job, data, nodes, log)) {
          scheduler.prepare();
          faults.set(scheduler);
          nodes.onReached(scheduler::onReached);
          JobTrained trained =
              requireTrained(watch.await(request.launch().cluster().joinTimeoutNanos()));
          scheduler.end();
          ReaderSeat seat = control.takeSeat(links, random.nextLong());
          try (ClusterReader reader =
              new ClusterReader(
                  seat.self(),
                  job,
                  seat::map,
                  links.open(seat.self().node()),
                  READER_PATIENCE_NANOS)) {
            ModelReading reading = new ModelReading(reader, job, progress);
            Optional<VerifyResult> verified =
                request.verify()
                    ? Optional.of(Scrubs.run(reader, false, 0, progress))
                    : Optional.empty();
            Quality quality =
                reading.score(
                    data.evalSource(), data.scoring(), Runtime.getRuntime().availableProcessors());
            String digest =
                reading.digest(
                    request.save(),
                    Map.of(
                        "batch", Integer.toString(job.batch()),
                        "dense.engine", job.denseEngine()));
            progress.close();
            return result(trained, watch, quality, digest, log, verified);
          }
        }
      }
    }
  }

  private static FaultScheduler scheduler(
      TrainRequest request, JobSpec job, JobData data, Nodes nodes, FaultLog log) {
    boolean shares =
        request.faults().stream()
            .anyMatch(fault -> fault.trigger().kind() == FaultTrigger.Kind.PROGRESS);
    long iterations = request.launch().iterations();
    double samples = shares && iterations == 0 ? data.estimatedSamples(job) : 0;
    return new FaultScheduler(request.faults(), job, nodes, log, iterations, samples);
  }

  private static JobTrained requireTrained(io.holdfast.recovery.JobOutcome outcome) {
    return switch (outcome) {
      case JobTrained trained -> trained;
      case JobLost lost ->
          throw new JobLostException(lost.reason() + "; lost: " + String.join(", ", lost.lost()));
      case JobFailed failed ->
          throw switch (failed.kind()) {
            case DATA -> new CriteoDataException(failed.reason());
            default -> new TrainingFailedException(failed.reason());
          };
    };
  }

  private static TrainResult result(
      JobTrained trained,
      TrainingWatch watch,
      Quality quality,
      String digest,
      FaultLog log,
      Optional<VerifyResult> verified) {
    RedundancyStatistics redundancy =
        trained.servers().stream()
            .map(ServerStatistics::redundancy)
            .reduce(RedundancyStatistics.NONE, RedundancyStatistics::plus);
    return new TrainResult(
        trained.totals().samples(),
        trained.totals().iterations(),
        watch.trainingSeconds(),
        quality,
        trained.totals().skipped(),
        digest,
        new Bytes(
            bytes(trained, "pull"),
            bytes(trained, "push"),
            redundancy.deltaBytes(),
            redundancy.nnReplicaBytes()),
        new Memory(
            trained.servers().stream().mapToLong(server -> server.tableBytes()).sum(),
            trained.servers().stream().mapToLong(server -> server.redundancyBytes()).sum(),
            trained.servers().stream().mapToLong(server -> server.stagedBytesPeak()).sum()),
        RedundancyCost.of(redundancy),
        new Phases(
            seconds(trained, "read"),
            seconds(trained, "pull"),
            seconds(trained, "dense"),
            seconds(trained, "push"),
            seconds(trained, "wait")),
        log.faults(redundancy.decodedRows()),
        verified);
  }

  private static long bytes(JobTrained trained, String kind) {
    return trained.workers().stream()
        .mapToLong(worker -> worker.bytes().getOrDefault(kind, 0L))
        .sum();
  }

  private static double seconds(JobTrained trained, String phase) {
    return trained.workers().stream()
            .mapToLong(worker -> worker.phaseNanos().getOrDefault(phase, 0L))
            .sum()
        / 1e9;
  }
}
