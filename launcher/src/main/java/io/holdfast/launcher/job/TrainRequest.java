package io.holdfast.launcher.job;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.settings.LaunchSettings;
import io.holdfast.config.settings.LinkKind;
import io.holdfast.launcher.fault.FaultSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A job to run.
 *
 * @param mode where its nodes run
 * @param job what all processes agree on; its files are absolute paths that exist here
 * @param launch what only the launching process needs
 * @param evalFiles files to score, absolute; empty: the end of the data is held out, see {@code
 *     launch.input().holdout()}
 * @param save directory to write the trained model to
 * @param faults to inject, all of them possible in this job
 * @param verify whether parities and replicas are compared with what they protect after training
 * @param verbose whether child processes should log more, too
 */
public record TrainRequest(
    ClusterMode mode,
    JobSpec job,
    LaunchSettings launch,
    List<String> evalFiles,
    Optional<Path> save,
    List<FaultSpec> faults,
    boolean verify,
    boolean verbose) {

  public TrainRequest {
    evalFiles = List.copyOf(evalFiles);
    faults = List.copyOf(faults);
  }

  /** The link that the settings ask for, or the one that suits the mode. */
  public LinkKind link() {
    return launch.transport().linkOr(mode.link());
  }
}
