package io.holdfast.recovery;

import io.holdfast.config.control.ServerControl.ServerStatistics;
import io.holdfast.config.control.WorkerControl.WorkerFinished;
import java.util.List;

/** How a job ended. */
public sealed interface JobOutcome {
  /** Exit code of the command: 0 done, 3 bad data, 4 lost beyond tolerance, 1 else. */
  int exitCode();

  /**
   * All data is trained, every line once per pass. Servers go on serving readers.
   *
   * @param totals what servers committed
   * @param workers what workers said at their end; those that died are missing
   * @param servers what servers say; those that were lost are missing
   * @param warnings what people should know of it, in words
   */
  record JobTrained(
      DataTotals totals,
      List<WorkerFinished> workers,
      List<ServerStatistics> servers,
      List<String> warnings)
      implements JobOutcome {
    public JobTrained {
      workers = List.copyOf(workers);
      servers = List.copyOf(servers);
      warnings = List.copyOf(warnings);
    }

    @Override
    public int exitCode() {
      return 0;
    }
  }

  /** Why a job failed. */
  enum FailureKind {
    /** The input is bad. */
    DATA(3),
    /** A loss or a gradient is not finite. */
    NUMERIC(1),
    /** There is no worker left. */
    WORKERS(1),
    /** It was stopped before its end. */
    STOPPED(1),
    /** A defect, or a machine that fails. */
    INTERNAL(1);

    private final int exitCode;

    FailureKind(int exitCode) {
      this.exitCode = exitCode;
    }

    /** The kind that a worker names. */
    static FailureKind named(String kind) {
      return switch (kind) {
        case "data" -> DATA;
        case "numeric" -> NUMERIC;
        default -> INTERNAL;
      };
    }
  }

  /** The job cannot go on, and why. */
  record JobFailed(FailureKind kind, String reason) implements JobOutcome {
    @Override
    public int exitCode() {
      return kind.exitCode;
    }
  }

  /**
   * Parameters are gone that nothing can restore.
   *
   * @param lost what is gone, by name
   * @param reason what happened
   */
  record JobLost(List<String> lost, String reason) implements JobOutcome {
    public JobLost {
      lost = List.copyOf(lost);
    }

    @Override
    public int exitCode() {
      return 4;
    }
  }
}
