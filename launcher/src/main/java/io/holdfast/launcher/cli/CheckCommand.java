package io.holdfast.launcher.cli;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.preflight.CheckResult;
import io.holdfast.config.preflight.CheckStatus;
import io.holdfast.config.preflight.Preflight;
import io.holdfast.config.preflight.PreflightRequest;
import io.holdfast.config.settings.LaunchSettings;
import io.holdfast.config.settings.LinkKind;
import io.holdfast.config.settings.Settings;
import io.holdfast.config.transport.AeronSettings;
import io.holdfast.launcher.job.ClusterMode;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code holdfast check}. */
@Command(
    name = "check",
    mixinStandardHelpOptions = true,
    description = {
      "Check this host for a job before it starts: memory, shared memory, buffers, ports, JDK.",
      "Takes the job's options; each failure says what to do."
    })
public final class CheckCommand implements Callable<Integer> {
  private final List<Supplier<CheckResult>> further;

  @Mixin private CommonOptions common;
  @Mixin private SettingOptions settingOptions;
  @Mixin JobOptions options;

  @Option(
      names = "--processes",
      negatable = true,
      description = "Every server and worker is a process of its own on this host.")
  Boolean processes;

  @Option(
      names = "--servers-here",
      paramLabel = "N",
      description = "Servers that run on this host, in a job of many hosts.")
  private Integer serversHere;

  @Option(
      names = "--workers-here",
      paramLabel = "W",
      description = "Workers that run on this host, in a job of many hosts.")
  private Integer workersHere;

  /**
   * The command.
   *
   * @param further checks beside those of {@link Preflight}
   */
  public CheckCommand(List<Supplier<CheckResult>> further) {
    this.further = List.copyOf(further);
  }

  @Override
  public Integer call() {
    Settings settings = settingOptions.load();
    List<CheckResult> results = new ArrayList<>(Preflight.run(request(settings)));
    further.forEach(check -> results.add(check.get()));
    PrintWriter out = common.out();
    for (CheckResult result : results) {
      out.printf(
          Locale.ROOT, "%-4s  %-16s %s%n", word(result.status()), result.name(), result.found());
      if (!result.advice().isEmpty()) {
        out.printf(Locale.ROOT, "      %-16s -> %s%n", "", result.advice());
      }
    }
    out.flush();
    boolean failed = results.stream().anyMatch(r -> r.status() == CheckStatus.FAIL);
    return failed ? ExitCode.FAILED : ExitCode.DONE;
  }

  private static String word(CheckStatus status) {
    return status == CheckStatus.OK ? "ok" : status.name();
  }

  private PreflightRequest request(Settings settings) {
    LaunchSettings launch = settings.launch();
    ClusterMode mode = mode(launch);
    int servers =
        serversHere == null ? (mode == ClusterMode.HOSTS ? 0 : settings.servers()) : serversHere;
    int workers =
        workersHere == null ? (mode == ClusterMode.HOSTS ? 0 : settings.workers()) : workersHere;
    if (servers < 0 || workers < 0) {
      throw common.badUsage("--servers-here and --workers-here must be at least 0");
    }
    LinkKind link = launch.transport().linkOr(mode.link());
    Optional<AeronSettings> aeron =
        link == LinkKind.MEMORY
            ? Optional.empty()
            : Optional.of(launch.transport().aeron(link, launch.cluster().host()));
    int threads = Settings.threadsPerWorker(Runtime.getRuntime().availableProcessors(), workers);
    JobSpec job = settings.jobSpec(launch.input().paths(), threads);
    return new PreflightRequest(
        job,
        servers,
        workers,
        mode == ClusterMode.ONE_PROCESS ? 1 : 1 + servers + workers,
        Runtime.getRuntime().maxMemory(),
        aeron,
        List.of(launch.cluster().port()));
  }

  private ClusterMode mode(LaunchSettings launch) {
    if (serversHere != null || workersHere != null) {
      return ClusterMode.HOSTS;
    }
    return launch.cluster().processes() ? ClusterMode.PROCESSES : ClusterMode.ONE_PROCESS;
  }
}
