package io.holdfast.launcher;

import io.holdfast.config.preflight.CheckResult;
import io.holdfast.config.preflight.CheckStatus;
import io.holdfast.launcher.cli.ChaosCommand;
import io.holdfast.launcher.cli.CheckCommand;
import io.holdfast.launcher.cli.CompletionCommand;
import io.holdfast.launcher.cli.CoordinatorCommand;
import io.holdfast.launcher.cli.ErrorMessages;
import io.holdfast.launcher.cli.EvalCommand;
import io.holdfast.launcher.cli.GenerateCommand;
import io.holdfast.launcher.cli.HoldfastCommand;
import io.holdfast.launcher.cli.MoreCommands;
import io.holdfast.launcher.cli.PredictCommand;
import io.holdfast.launcher.cli.PreprocessCommand;
import io.holdfast.launcher.cli.QuickstartCommand;
import io.holdfast.launcher.cli.ServerCommand;
import io.holdfast.launcher.cli.SoakCommand;
import io.holdfast.launcher.cli.TrainCommand;
import io.holdfast.launcher.cli.VerifyCommand;
import io.holdfast.launcher.cli.WorkerCommand;
import io.holdfast.launcher.job.ClusterNodeJob;
import io.holdfast.launcher.job.ClusterTrainingJob;
import io.holdfast.launcher.job.ClusterVerificationJob;
import io.holdfast.launcher.job.NodeJob;
import io.holdfast.launcher.job.SavedModelEvaluationJob;
import io.holdfast.launcher.job.SavedModelPredictionJob;
import io.holdfast.launcher.job.TrainingJob;
import io.holdfast.worker.dense.GemmSpeed;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceLoader;
import picocli.CommandLine;

/** The {@code holdfast} command. */
public final class Main {
  private final CommandLine root = new CommandLine(new HoldfastCommand());

  /**
   * The command with its subcommands.
   *
   * @param commands objects annotated for picocli, in the order in which help shows them
   */
  public Main(Object... commands) {
    for (Object command : commands) {
      root.addSubcommand(command);
    }
    root.setParameterExceptionHandler(ErrorMessages::onBadUsage);
    root.setExecutionExceptionHandler(ErrorMessages::onFailure);
    root.setUsageHelpAutoWidth(true);
  }

  /** Runs with the standard streams. */
  public int run(String... arguments) {
    return run(
        new PrintWriter(System.out, false, StandardCharsets.UTF_8),
        new PrintWriter(System.err, true, StandardCharsets.UTF_8),
        arguments);
  }

  /**
   * Runs one command.
   *
   * @param out gets results
   * @param err gets progress and errors
   * @return the exit code: see {@link io.holdfast.launcher.cli.ExitCode}
   */
  public int run(PrintWriter out, PrintWriter err, String... arguments) {
    int code = root.setOut(out).setErr(err).execute(arguments);
    out.flush();
    err.flush();
    return code;
  }

  /**
   * With what quickstart trains. Adam learns the planted model from a million rows; plain SGD needs
   * more, because rare rows get small gradients. Without the decay the last updates of two workers
   * that know nothing of each other leave the model up to 0.007 of AUC further from its best.
   */
  static final Map<String, String> QUICKSTART =
      Map.ofEntries(
          Map.entry("cluster.servers", "5"),
          Map.entry("cluster.workers", "2"),
          Map.entry("cluster.processes", "true"),
          Map.entry("redundancy", "ecrm"),
          Map.entry("max.rows.per.table", "100000"),
          Map.entry("batch", "512"),
          Map.entry("optimizer.name", "adam"),
          Map.entry("learning.rate", "0.001"),
          Map.entry("learning.decay.start", "600"),
          Map.entry("learning.decay.iterations", "1200"),
          Map.entry("learning.decay.power", "1"));

  /** The command with all its subcommands, those of {@link MoreCommands} on the class path too. */
  public static Main create() {
    TrainingJob training = new ClusterTrainingJob();
    NodeJob node = new ClusterNodeJob();
    List<Object> commands =
        new ArrayList<>(
            List.of(
                new QuickstartCommand(training, QUICKSTART),
                new TrainCommand(training),
                new ChaosCommand(training, QUICKSTART),
                new SoakCommand(training),
                new EvalCommand(new SavedModelEvaluationJob()),
                new PredictCommand(new SavedModelPredictionJob()),
                new GenerateCommand(),
                new PreprocessCommand(),
                new CoordinatorCommand(training),
                new ServerCommand(node),
                new WorkerCommand(node),
                new VerifyCommand(new ClusterVerificationJob()),
                new CheckCommand(List.of(Main::gemm))));
    ServiceLoader.load(MoreCommands.class).forEach(more -> commands.addAll(more.commands()));
    commands.add(new CompletionCommand());
    return new Main(commands.toArray());
  }

  private static CheckResult gemm() {
    GemmSpeed speed = GemmSpeed.measure();
    String found =
        String.format(Locale.ROOT, "%.0f GFLOP/s in one thread", speed.gigaflopsPerSecond());
    return speed.plausible()
        ? new CheckResult("gemm", CheckStatus.OK, found, "")
        : new CheckResult(
            "gemm",
            CheckStatus.WARN,
            found,
            "OpenBLAS seems to take this processor for another, or the host is busy: start through"
                + " scripts/holdfast, and see docs/decisions/0004-openblas-environment.md");
  }

  public static void main(String[] arguments) {
    System.exit(create().run(arguments));
  }
}
