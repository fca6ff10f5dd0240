package io.holdfast.launcher.job;

import io.holdfast.checkpoint.model.Manifest;
import io.holdfast.checkpoint.model.ModelDescription;
import io.holdfast.checkpoint.model.ModelDigest;
import io.holdfast.checkpoint.model.SavedModel;
import io.holdfast.checkpoint.model.SavedModelException;
import io.holdfast.config.control.JobControl.JobDescribed;
import io.holdfast.config.model.ModelVisitor;
import io.holdfast.config.settings.LaunchSettings;
import io.holdfast.config.settings.LinkKind;
import io.holdfast.config.settings.TransportSettings;
import io.holdfast.config.transport.LinkFactory;
import io.holdfast.launcher.control.ClusterMember;
import io.holdfast.launcher.control.ReaderSeat;
import io.holdfast.launcher.progress.Progress;
import io.holdfast.launcher.report.ModelVerifyResult;
import io.holdfast.launcher.report.VerifyResult;
import io.holdfast.worker.ClusterReader;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Joins a cluster as a reader and lets its servers compare; reads saved models. */
public final class ClusterVerificationJob implements VerificationJob {
  /** Servers that do not get one piece done in so long are not going to. */
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

  private static final long PROGRESS_ROWS = 4096;

  @Override
  public VerifyResult verifyCluster(VerifyRequest request, Progress progress)
      throws IOException, InterruptedException {
    try (ClusterMember control =
        ClusterMember.start(request.launch().cluster(), ClusterMember.Part.READER)) {
      JobDescribed described =
          control
              .describeJob()
              .orElseThrow(
                  () ->
                      new IOException(
                          "no coordinator answers at "
                              + String.join(", ", request.launch().cluster().seeds())
                              + ": is this the address of the job's control plane"
                              + " (cluster.port)?"));
      if (!Scrubs.possible(described.job())) {
        throw new NothingRedundantException();
      }
      TransportSettings transport = transport(request, described);
      LaunchSettings launch = request.launch().withTransport(transport);
      try (LinkFactory links =
          Links.open(launch, transport.linkOr(LinkKind.UDP), described.job())) {
        ReaderSeat seat = control.takeSeat(links, new SecureRandom().nextLong());
        try (ClusterReader reader =
            new ClusterReader(
                seat.self(),
                described.job(),
                seat::map,
                links.open(seat.self().node()),
                PATIENCE_NANOS)) {
          return Scrubs.run(reader, request.repair(), request.rowsPerSecond(), progress);
        }
      }
    }
  }

  private static TransportSettings transport(VerifyRequest request, JobDescribed described)
      throws IOException {
    if (request.ownTransport()) {
      return request.launch().transport();
    }
    TransportSettings theirs = described.transport();
    if (theirs.linkOr(LinkKind.UDP) == LinkKind.MEMORY) {
      throw new IOException(
          "the job runs inside one process, which others cannot reach: start it with --processes,"
              + " or let it verify itself with --verify");
    }
    if (theirs.externalDriver() && !Files.isDirectory(Path.of(theirs.aeronDir().orElse("")))) {
      throw new IOException(
          "the job's processes talk through shared memory in "
              + theirs.aeronDir().orElse("")
              + ", which is not there: verify on the job's host, as a user who may read it");
    }
    return theirs;
  }

  @Override
  public ModelVerifyResult verifyModel(Path directory, Progress progress) throws IOException {
    long start = System.nanoTime();
    Manifest manifest = null;
    long bytes = 0;
    Optional<String> problem = Optional.empty();
    try {
      SavedModel saved = SavedModel.open(directory);
      manifest = saved.manifest();
      bytes = saved.bytes();
      ModelDescription description = manifest.description();
      ModelDigest digest =
          new ModelDigest(description.model(), description.optimizer(), description.seed());
      // Compares order, counters and checksums on the way.
      saved.visit(new Counting(digest, manifest.rows(), progress));
      if (!digest.hex().equals(manifest.modelDigest())) {
        problem =
            Optional.of(
                directory
                    + ": the digest of what it holds is "
                    + digest.hex()
                    + ", the manifest tells "
                    + manifest.modelDigest());
      }
    } catch (SavedModelException e) {
      problem = Optional.of(e.getMessage());
    }
    return new ModelVerifyResult(
        directory.toString(),
        (System.nanoTime() - start) / 1e9,
        manifest == null ? 0 : manifest.rows(),
        bytes,
        manifest == null ? "" : manifest.modelDigest(),
        problem);
  }

  /** Shows how far a visit is. */
  private static final class Counting implements ModelVisitor {
    private final ModelVisitor visitor;
    private final long total;
    private final Progress progress;
    private long done;

    Counting(ModelVisitor visitor, long total, Progress progress) {
      this.visitor = visitor;
      this.total = total;
      this.progress = progress;
    }

    @Override
    public void row(long row, int updates, MemorySegment values, long offsetBytes) {
      visitor.row(row, updates, values, offsetBytes);
      done++;
      if (done % PROGRESS_ROWS == 0 || done == total) {
        progress.at("reading model", done, total, "rows");
      }
    }

    @Override
    public void nn(long updates, MemorySegment weights, MemorySegment state) {
      visitor.nn(updates, weights, state);
    }
  }
}
