package io.holdfast.launcher.cli;

import io.holdfast.config.settings.SettingsException;
import io.holdfast.criteo.CriteoDataException;
import io.holdfast.launcher.job.BadDataException;
import io.holdfast.launcher.job.JobLostException;
import io.holdfast.launcher.job.NothingRedundantException;
import io.holdfast.launcher.job.TrainingFailedException;
import io.holdfast.worker.ClusterReader;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** Exit codes of the command. */
public final class ExitCode {
  public static final int DONE = 0;
  public static final int FAILED = 1;
  public static final int BAD_USAGE = 2;
  public static final int BAD_DATA = 3;
  public static final int LOST_BEYOND_TOLERANCE = 4;

  /** A verification found something wrong that is not repaired. */
  public static final int FOUND_WRONG = 5;

  private ExitCode() {}

  /** The code that tells of a failure. */
  public static int of(Throwable failure) {
    return switch (cause(failure)) {
      case SettingsException e -> BAD_USAGE;
      case CriteoDataException e -> BAD_DATA;
      case BadDataException e -> BAD_DATA;
      case NothingRedundantException e -> BAD_USAGE;
      case JobLostException e -> LOST_BEYOND_TOLERANCE;
      default -> FAILED;
    };
  }

  /** What failed, without the wrappers of other threads. */
  static Throwable cause(Throwable failure) {
    Throwable cause = failure;
    while ((cause instanceof CompletionException || cause instanceof ExecutionException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  /** Whether the message alone tells a user what to do; else it is a bug and its trace is shown. */
  static boolean isExpected(Throwable failure) {
    Throwable cause = cause(failure);
    return of(cause) != FAILED
        || cause instanceof TrainingFailedException
        || cause instanceof ClusterReader.NoAnswerException
        || cause instanceof ClusterReader.JobOverException
        || cause instanceof java.io.IOException
        || cause instanceof java.io.UncheckedIOException;
  }
}
