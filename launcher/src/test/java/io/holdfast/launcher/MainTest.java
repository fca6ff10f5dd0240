package io.holdfast.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.config.control.RedundancyStatistics;
import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.preflight.CheckResult;
import io.holdfast.config.preflight.CheckStatus;
import io.holdfast.config.settings.LinkKind;
import io.holdfast.config.settings.TransportSettings;
import io.holdfast.criteo.CriteoDataException;
import io.holdfast.launcher.cli.CheckCommand;
import io.holdfast.launcher.cli.CompletionCommand;
import io.holdfast.launcher.cli.CoordinatorCommand;
import io.holdfast.launcher.cli.EvalCommand;
import io.holdfast.launcher.cli.GenerateCommand;
import io.holdfast.launcher.cli.PredictCommand;
import io.holdfast.launcher.cli.PreprocessCommand;
import io.holdfast.launcher.cli.QuickstartCommand;
import io.holdfast.launcher.cli.ServerCommand;
import io.holdfast.launcher.cli.TrainCommand;
import io.holdfast.launcher.cli.VerifyCommand;
import io.holdfast.launcher.cli.WorkerCommand;
import io.holdfast.launcher.job.BadDataException;
import io.holdfast.launcher.job.ClusterMode;
import io.holdfast.launcher.job.EvaluationRequest;
import io.holdfast.launcher.job.JobLostException;
import io.holdfast.launcher.job.NodeArguments;
import io.holdfast.launcher.job.NodeRequest;
import io.holdfast.launcher.job.NothingRedundantException;
import io.holdfast.launcher.job.TrainRequest;
import io.holdfast.launcher.job.VerificationJob;
import io.holdfast.launcher.job.VerifyRequest;
import io.holdfast.launcher.report.Bytes;
import io.holdfast.launcher.report.EvaluationResult;
import io.holdfast.launcher.report.Memory;
import io.holdfast.launcher.report.ModelVerifyResult;
import io.holdfast.launcher.report.Phases;
import io.holdfast.launcher.report.Quality;
import io.holdfast.launcher.report.RedundancyCost;
import io.holdfast.launcher.report.TrainResult;
import io.holdfast.launcher.report.VerifyResult;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {
  private static final TrainResult RESULT =
      new TrainResult(
          900,
          9,
          0.5,
          new Quality(100, 0.75, 0.5, 0.9, Double.NaN),
          3,
          "abc",
          new Bytes(1, 2, 0, 0),
          new Memory(5, 0, 0),
          RedundancyCost.of(RedundancyStatistics.NONE),
          new Phases(1, 2, 3, 4, 5),
          List.of(),
          Optional.empty());

  @TempDir Path directory;

  private Path data;
  private TrainRequest trained;
  private EvaluationRequest evaluated;
  private NodeRequest node;
  private VerifyRequest verified;
  private Optional<VerifyResult> verifiedAfterTraining = Optional.empty();
  private VerifyResult found = new VerifyResult(1, 20, 40, 5, 0, 0, 0, 0, List.of());
  private Optional<String> modelProblem = Optional.empty();
  private RuntimeException failure;
  private CheckStatus gemm = CheckStatus.OK;
  private String out;
  private String err;

  @BeforeEach
  void writeData() throws IOException {
    data = Files.writeString(directory.resolve("some data.tsv"), "1\n");
  }

  private int run(String... arguments) {
    StringWriter outText = new StringWriter();
    StringWriter errText = new StringWriter();
    Main main =
        new Main(
            new TrainCommand(this::train),
            new CoordinatorCommand(this::train),
            new QuickstartCommand(this::train, Map.of("cluster.servers", "5")),
            new EvalCommand(
                (request, progress) -> {
                  evaluated = request;
                  return new EvaluationResult(2, RESULT.quality(), 0, "abc");
                }),
            new PredictCommand(
                (model, lines, name, threads, probabilities) -> {
                  BufferedReader reader =
                      new BufferedReader(new InputStreamReader(lines, StandardCharsets.UTF_8));
                  long count = reader.lines().count();
                  probabilities.write("0.25\n".repeat((int) count));
                  return count;
                }),
            new CheckCommand(
                List.of(
                    () ->
                        new CheckResult(
                            "gemm", gemm, "slow", gemm == CheckStatus.OK ? "" : "call a doctor"))),
            new VerifyCommand(new Verification()),
            new ServerCommand(request -> node = request),
            new WorkerCommand(request -> node = request),
            new GenerateCommand(),
            new PreprocessCommand(),
            new CompletionCommand());
    int code = main.run(new PrintWriter(outText), new PrintWriter(errText), arguments);
    out = outText.toString();
    err = errText.toString();
    return code;
  }

  private final class Verification implements VerificationJob {
    @Override
    public VerifyResult verifyCluster(
        VerifyRequest request, io.holdfast.launcher.progress.Progress progress) {
      verified = request;
      if (failure != null) {
        throw failure;
      }
      return found;
    }

    @Override
    public ModelVerifyResult verifyModel(
        Path model, io.holdfast.launcher.progress.Progress progress) {
      return new ModelVerifyResult(model.toString(), 1, 2, 3, "abc", modelProblem);
    }
  }

  private TrainResult train(TrainRequest request, io.holdfast.launcher.progress.Progress progress) {
    trained = request;
    if (failure != null) {
      throw failure;
    }
    progress.at("training", 900, 900, "samples");
    return new TrainResult(
        RESULT.samples(),
        RESULT.iterations(),
        RESULT.seconds(),
        RESULT.quality(),
        RESULT.badLines(),
        RESULT.modelDigest(),
        RESULT.bytes(),
        RESULT.memory(),
        RESULT.redundancy(),
        RESULT.phases(),
        RESULT.faults(),
        verifiedAfterTraining);
  }

  private int trainWith(String... more) {
    List<String> arguments = new ArrayList<>(List.of("train", "--data", data.toString()));
    arguments.addAll(Arrays.asList(more));
    return run(arguments.toArray(String[]::new));
  }

  private JsonNode json(Path file) throws IOException {
    return new ObjectMapper().readTree(file.toFile());
  }

  @Test
  void shouldUnderstandTheWholeContractOfTrain() throws IOException {
    Path save = directory.resolve("model");
    Path report = directory.resolve("r.json");
    Path config = Files.writeString(directory.resolve("c.conf"), "window = 2\nbatch = 7\n");
    int code =
        trainWith(
            "--eval",
            data.toString(),
            "--preset",
            "terabyte",
            "--servers",
            "4",
            "--workers",
            "2",
            "--processes",
            "--batch",
            "64",
            "--epochs",
            "2",
            "--optimizer",
            "adagrad",
            "--learning-rate",
            "0.05",
            "--max-rows-per-table",
            "1000",
            "--seed",
            "77",
            "--redundancy",
            "none",
            "--k",
            "2",
            "--r",
            "1",
            "--code",
            "rs",
            "--save",
            save.toString(),
            "--set",
            "dense.engine=dl4j",
            "--set",
            "retry=2s",
            "--config",
            config.toString(),
            "--report",
            report.toString());
    assertEquals(0, code, err);
    assertEquals(ClusterMode.PROCESSES, trained.mode());
    assertEquals(LinkKind.IPC, trained.link());
    assertEquals("terabyte", trained.job().model().name());
    assertEquals(1000, trained.job().model().tables().getFirst().rows());
    assertEquals(4, trained.job().servers());
    assertEquals(2, trained.job().workers());
    assertEquals(64, trained.job().batch());
    assertEquals(2, trained.job().window());
    assertEquals(77, trained.job().seed());
    assertEquals(OptimizerKind.ADAGRAD, trained.job().optimizer().kind());
    assertEquals(0.05f, trained.job().learningRate().base());
    assertEquals("dl4j", trained.job().denseEngine());
    assertEquals(2_000_000_000L, trained.job().retryNanos());
    assertEquals(List.of(data.toString()), trained.job().data().files());
    assertEquals(List.of(data.toString()), trained.evalFiles());
    assertEquals(2, trained.launch().epochs());
    assertEquals(save, trained.save().orElseThrow());
    assertTrue(out.contains("AUC 0.7500"), out);
    assertTrue(out.contains("1,800 samples/s"), out);

    JsonNode written = json(report);
    assertEquals(900, written.get("samples").asLong());
    assertEquals(1800, written.get("samplesPerSecond").asDouble());
    assertTrue(written.get("accuracy").isNull());
    assertTrue(written.get("planted").isNull());
    assertEquals("64", written.get("settings").get("batch").asText());
    assertEquals("train", written.get("commandLine").get(0).asText());
  }

  @Test
  void shouldTrainDeterministicallyForSomeIterations() {
    assertEquals(0, trainWith("--deterministic", "--iterations", "30"), err);
    assertTrue(trained.job().deterministic());
    assertEquals(SyncMode.SYNC, trained.job().sync());
    assertEquals(30, trained.launch().iterations());
    assertEquals(ClusterMode.ONE_PROCESS, trained.mode());
    assertEquals(LinkKind.MEMORY, trained.link());
    assertTrue(trained.evalFiles().isEmpty());
  }

  @Test
  void shouldTakeManyFilesAndGlobsUnderAbsoluteNames() throws IOException {
    Path second = Files.writeString(directory.resolve("b.tsv"), "0\n");
    assertEquals(0, run("train", "--data", directory + "/{b,some data}.tsv"), err);
    assertEquals(List.of(second.toString(), data.toString()), trained.job().data().files());
    Path relative = Path.of("").toAbsolutePath().relativize(second);
    assertEquals(0, run("train", "--data", relative.toString(), "--data", data.toString()), err);
    assertEquals(List.of(second.toString(), data.toString()), trained.job().data().files());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "--bacth 3 | Unknown options: '--bacth', '3'; did you mean '--batch'?",
        "--batch 0 | batch = 0 (from --batch): must be from 1",
        "--servers many | cluster.servers = many (from --servers): must be a whole number",
        "--set bacth=3 | unknown setting 'bacth' (from --set); did you mean 'batch'?",
        "--set batch | must be key=value",
        "--preset kagle | did you mean 'kaggle'?",
        "--redundancy ecrm --servers 3 | k = 4 and r = 1 need at least 5 servers",
        "--redundancy checkpoint | this version has no checkpoints",
        "--epochs 2 --iterations 3 | excludes epochs",
        "--deterministic --sync async | deterministic = true needs sync = sync",
        "--processes --fault kill:server-1@100 | '100' is no time; say iteration=200",
        "--processes --fault kill:server-1@time=1s | there is no server-1: the job has 1 servers",
        "--fault kill:server-0@time=1s | servers and workers share this process",
        "--config /nonexistent.conf | there is no such file",
        "--report /nonexistent/r.json | there is no directory /nonexistent",
        "--report / | is a directory",
        "--processes --set transport.link=memory | reaches one process only",
        "surplus | surplus",
      })
  void shouldExitWith2OnBadUsage(String arguments, String expected) {
    assertEquals(2, trainWith(arguments.split(" ")), err);
    assertTrue(err.contains(expected), err);
    assertFalse(err.contains("\tat "), err);
    assertEquals(null, trained);
  }

  @Test
  void shouldExitWith2WithoutDataOrCommand() {
    assertEquals(2, run("train"));
    assertTrue(err.contains("--data is missing"), err);
    assertEquals(2, run());
    assertEquals(2, run("trian"));
    assertTrue(err.contains("'trian'; did you mean 'train'?"), err);
  }

  @Test
  void shouldNotSaveIntoADirectoryThatHoldsSomething() {
    assertEquals(2, trainWith("--save", directory.toString()));
    assertTrue(err.contains("is not empty"), err);
  }

  @Test
  void shouldTellFailuresApartByExitCode() {
    failure = new CriteoDataException("f, line 3");
    assertEquals(3, trainWith());
    assertEquals("holdfast: f, line 3", err.lines().toList().getFirst());
    failure = new BadDataException("model is torn");
    assertEquals(3, trainWith());
    failure = new CompletionException(new JobLostException("server-2 is lost"));
    assertEquals(4, trainWith());
    assertTrue(err.contains("holdfast: server-2 is lost"), err);
    assertFalse(err.contains("\tat "), err);
    failure = new IllegalStateException("a bug");
    assertEquals(1, trainWith());
    assertTrue(err.contains("\tat "), "a bug shows its trace");
  }

  @Test
  void shouldExitWith3OnDataThatIsMissingOrEmpty() throws IOException {
    assertEquals(3, run("train", "--data", directory + "/none.tsv"));
    assertTrue(err.contains("none.tsv"), err);
    Path empty = Files.createFile(directory.resolve("empty.tsv"));
    assertEquals(3, run("train", "--data", empty.toString()));
  }

  @Test
  void shouldEvaluateASavedModel() throws IOException {
    Path report = directory.resolve("e.json");
    assertEquals(
        0,
        run(
            "eval",
            "--model",
            directory.toString(),
            "--data",
            data.toString(),
            "--report",
            report.toString()),
        err);
    assertEquals(List.of(data.toString()), evaluated.files());
    assertEquals(directory, evaluated.model());
    assertEquals(100, json(report).get("samples").asLong());
    assertEquals(50, json(report).get("samplesPerSecond").asDouble());
    assertEquals(0.75, json(report).get("auc").asDouble());
    assertEquals(2, run("eval", "--model", "/nonexistent", "--data", data.toString()));
    assertEquals(2, run("eval", "--data", data.toString()));
    assertTrue(err.contains("--model"), err);
  }

  @Test
  void shouldPredictEachLineOfAFile() throws IOException {
    Files.writeString(data, "0\n1\n1\n");
    assertEquals(
        0, run("predict", "--model", directory.toString(), "--data", data.toString()), err);
    assertEquals("0.25\n0.25\n0.25\n", out);
  }

  @Test
  void shouldJoinAClusterOfManyHosts() {
    assertEquals(
        0,
        run(
            "server",
            "--seed",
            "10.0.0.1:7000",
            "--seed",
            "10.0.0.2:7000",
            "--host",
            "10.0.0.3",
            "--port",
            "7001",
            "--index",
            "2",
            "--set",
            "memory.huge-pages=true"),
        err);
    assertEquals(NodeId.Role.SERVER, node.role());
    assertEquals(OptionalInt.of(2), node.index());
    assertEquals(List.of("10.0.0.1:7000", "10.0.0.2:7000"), node.launch().cluster().seeds());
    assertEquals("10.0.0.3", node.launch().cluster().host());
    assertEquals(7001, node.launch().cluster().port());
    assertTrue(node.launch().hugePages());
    assertEquals(0, run("worker", "--seed", "c:1"), err);
    assertEquals(NodeId.Role.WORKER, node.role());
    assertEquals(2, run("worker"));
    assertTrue(err.contains("--seed is missing"), err);
    assertEquals(2, run("worker", "--seed", "nowhere"));
    assertTrue(err.contains("'nowhere' must be host:port"), err);
  }

  /** But for {@code --child}, which would watch this JVM's standard input. */
  @Test
  void shouldGiveAChildTheSettingsOfItsJob() {
    assertEquals(
        0,
        trainWith(
            "--processes",
            "--verbose",
            "--set",
            "transport.term.bytes=8MiB",
            "--set",
            "message.bytes.max=1MiB",
            "--set",
            "nn.shard.floats=100000",
            "--set",
            "cluster.failure.pause=1500ms",
            "--set",
            "memory.huge-pages=true"),
        err);
    List<String> arguments =
        new ArrayList<>(
            NodeArguments.of(
                Optional.of(NodeId.worker(3)),
                trained,
                "127.0.0.1:7000",
                Optional.of("/dev/shm/a driver")));
    assertTrue(arguments.remove("--child"));
    assertTrue(arguments.remove("--verbose"));
    assertEquals(0, run(arguments.toArray(String[]::new)), err);
    assertEquals(NodeId.Role.WORKER, node.role());
    assertEquals(OptionalInt.of(3), node.index());
    TransportSettings transport = node.launch().transport();
    assertEquals(Optional.of(LinkKind.IPC), transport.link());
    assertEquals(Optional.of("/dev/shm/a driver"), transport.aeronDir());
    assertTrue(transport.externalDriver());
    assertEquals(8 << 20, transport.termBytes());
    assertEquals(1_500_000_000L, node.launch().cluster().failurePauseNanos());
    assertEquals(List.of("127.0.0.1:7000"), node.launch().cluster().seeds());
    assertTrue(node.launch().hugePages());
    trained =
        new TrainRequest(
            ClusterMode.HOSTS,
            trained.job(),
            trained.launch(),
            List.of(),
            trained.save(),
            List.of(),
            false,
            false);
    List<String> alone =
        new ArrayList<>(
            NodeArguments.of(Optional.of(NodeId.server(0)), trained, "h:1", Optional.empty()));
    assertTrue(alone.remove("--child"));
    assertEquals(0, run(alone.toArray(String[]::new)), err);
    assertEquals(OptionalInt.of(0), node.index());
    List<String> waiting =
        new ArrayList<>(NodeArguments.of(Optional.empty(), trained, "h:1", Optional.empty()));
    assertTrue(waiting.remove("--child"));
    assertEquals(0, run(waiting.toArray(String[]::new)), err);
    assertEquals(NodeId.Role.SERVER, node.role());
    assertEquals(OptionalInt.empty(), node.index(), "on standby");
    assertEquals(Optional.of(LinkKind.UDP), node.launch().transport().link());
    assertFalse(node.launch().transport().externalDriver());
  }

  @Test
  void shouldCoordinateAClusterOfManyHosts() {
    assertEquals(
        0,
        run(
            "coordinator",
            "--data",
            data.toString(),
            "--host",
            "10.0.0.1",
            "--port",
            "7000",
            "--servers",
            "3",
            "--set",
            "seed=9"),
        err);
    assertEquals(ClusterMode.HOSTS, trained.mode());
    assertEquals(LinkKind.UDP, trained.link());
    assertEquals(9, trained.job().seed());
    assertEquals("10.0.0.1", trained.launch().cluster().host());
  }

  private VerifyResult wrong(int repaired) {
    return new VerifyResult(
        1,
        20,
        40,
        5,
        2,
        1,
        repaired,
        0,
        List.of(
            new VerifyResult.WrongPart("row", 4, Optional.of(1), Optional.of(17L), 3),
            new VerifyResult.WrongPart("stripe", 9, Optional.empty(), Optional.empty(), 2)));
  }

  @Test
  void shouldTellByExitCodeWhetherARunningClusterIsAsItShouldBe() throws IOException {
    Path report = directory.resolve("v.json");
    String[] verify = {
      "verify", "--seed", "h:7000", "--rate", "50", "--repair", "--report", report.toString()
    };
    assertEquals(0, run(verify), err);
    assertEquals(List.of("h:7000"), verified.launch().cluster().seeds());
    assertEquals(50, verified.rowsPerSecond());
    assertTrue(verified.repair());
    assertFalse(verified.ownTransport());
    assertTrue(out.contains("20 parities over 40 rows and 5 replicas"), out);
    assertTrue(out.contains("all fit"), out);
    found = wrong(1);
    assertEquals(5, run(verify), err);
    assertTrue(out.contains("2 WRONG, 1 located, 1 repaired"), out);
    assertTrue(out.contains("row 17 (stripe 4, position 1) on server-3"), out);
    JsonNode json = json(report).get("verify");
    assertEquals(2, json.get("wrong").asInt());
    assertTrue(json.get("wrongMembers").get(1).get("row").isNull());
    found = wrong(2);
    assertEquals(0, run(verify), err);
    assertTrue(out.contains("all fit now"), out);
    failure = new NothingRedundantException();
    assertEquals(2, run("verify", "--seed", "h:7000"));
    assertTrue(err.contains("--redundancy ecrm"), err);
  }

  @Test
  void shouldTellByExitCodeWhetherASavedModelIsAsItWasSaved() {
    assertEquals(0, run("verify", "--model", directory.toString()), err);
    assertTrue(out.contains("digest      abc"), out);
    modelProblem = Optional.of("rows.bin: is damaged");
    assertEquals(5, run("verify", "--model", directory.toString()), err);
    assertTrue(out.contains("WRONG       rows.bin: is damaged"), out);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "verify|--seed HOST:PORT",
        "verify --seed h:1 --model .|--seed HOST:PORT",
        "verify --model . --repair|running clusters",
        "verify --model . --rate 5|running clusters",
        "verify --seed h:1 --rate -1|at least 0",
        "verify --model nowhere|no such directory",
        "verify --seed nonsense|must be host:port"
      })
  void shouldSayWhatVerifyNeeds(String arguments, String expected) {
    assertEquals(2, run(arguments.split(" ")));
    assertTrue(err.contains(expected), err);
  }

  @Test
  void shouldVerifyAfterTrainingOnlyWhatIsRedundant() {
    assertEquals(2, trainWith("--verify"));
    assertTrue(err.contains("--redundancy ecrm"), err);
    String[] redundant = {
      "--verify",
      "--servers",
      "5",
      "--redundancy",
      "ecrm",
      "--nn-replicas",
      "2",
      "--witness",
      "--commit",
      "one-phase"
    };
    assertEquals(0, trainWith(redundant), err);
    assertTrue(trained.verify());
    assertEquals(2, trained.job().redundancy().nnReplicas());
    assertTrue(trained.job().redundancy().witness());
    assertEquals(CommitMode.ONE_PHASE, trained.job().commit());
    verifiedAfterTraining = Optional.of(wrong(0));
    assertEquals(5, trainWith(redundant), err);
    assertTrue(out.contains("2 WRONG"), out);
  }

  @Test
  void shouldCheckTheHostForAJob() {
    assertEquals(0, run("check", "--preset", "kaggle", "--max-rows-per-table", "1000"), err);
    assertTrue(out.contains("ok    java "), out);
    assertTrue(out.contains("ok    gemm"), out);
    gemm = CheckStatus.FAIL;
    assertEquals(1, run("check", "--max-rows-per-table", "1000"), err);
    assertTrue(out.contains("FAIL  gemm"), out);
    assertTrue(out.contains("call a doctor"), out);
    assertEquals(2, run("check", "--servers", "0"), err);
  }

  @Test
  void shouldFindThatAModelIsTooLargeForTheHost() {
    assertEquals(1, run("check", "--preset", "mlperf", "--set", "tables.scale=50"), out);
    assertTrue(out.contains("FAIL  memory"), out);
  }

  @Test
  void shouldGenerateDataAndTellThePlantedOptimum() throws IOException {
    Path report = directory.resolve("g.json");
    Path made = directory.resolve("made.tsv.gz");
    assertEquals(
        0,
        run(
            "generate",
            "--rows",
            "2000",
            "--seed",
            "5",
            "--out",
            made.toString(),
            "--report",
            report.toString()),
        err);
    double auc = json(report).get("planted").get("auc").asDouble();
    double logLoss = json(report).get("planted").get("logLoss").asDouble();
    assertTrue(auc > 0.6 && auc < 1, () -> "auc " + auc);
    assertTrue(logLoss > 0.1 && logLoss < 0.69, () -> "log loss " + logLoss);
    assertEquals(2000, json(report).get("rows").asLong());
    assertTrue(out.contains("planted.auc     %.6f".formatted(auc)), out);
    assertTrue(out.contains("planted.logLoss %.6f".formatted(logLoss)), out);
    assertEquals(2, run("generate", "--rows", "0", "--out", made.toString()));
    assertEquals(2, run("generate", "--rows", "ten", "--out", made.toString()));
    assertEquals(2, run("generate", "--rows", "10"));
    assertTrue(err.contains("'--out=FILE'"), err);
    assertEquals(2, run("generate", "--rwos", "10", "--out", made.toString()));
    assertTrue(err.contains("Unknown option: '--rwos'; did you mean '--rows'?"), err);
  }

  @Test
  void shouldPreprocessDataIntoACache() throws IOException {
    Path made = directory.resolve("made.tsv");
    assertEquals(0, run("generate", "--rows", "500", "--out", made.toString()), err);
    Path cache = directory.resolve("made.cache");
    assertEquals(0, run("preprocess", "--data", made.toString(), "--out", cache.toString()), err);
    assertTrue(Files.size(cache) >= 500 * 40 * 4, out);

    Files.writeString(made, Files.readString(made).replaceFirst("\n", "\nthis is no line\n"));
    assertEquals(3, run("preprocess", "--data", made.toString(), "--out", cache.toString()), err);
    assertTrue(err.contains("made.tsv, line 2"), err);
    assertEquals(
        0,
        run(
            "preprocess",
            "--data",
            made.toString(),
            "--out",
            cache.toString(),
            "--bad-lines",
            "skip"),
        err);
    assertTrue(out.contains("left out    1 malformed"), out);
  }

  @Test
  void shouldMakeDataForTheQuickstartAndCompareWithTheOptimum() throws IOException {
    Path report = directory.resolve("q.json");
    assertEquals(0, run("quickstart", "--rows", "2000", "--report", report.toString()), err);
    assertEquals(5, trained.job().servers());
    Path made = Path.of(trained.job().data().files().getFirst());
    assertFalse(Files.exists(made), "made data is removed");
    double planted = json(report).get("planted").get("auc").asDouble();
    assertTrue(out.contains("learned     AUC 0.7500 of the %.4f".formatted(planted)), out);
    assertEquals(0, run("quickstart", "--rows", "2000", "--set", "cluster.servers=3"), err);
    assertEquals(3, trained.job().servers());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "train",
        "coordinator",
        "quickstart",
        "eval",
        "predict",
        "server",
        "worker",
        "generate",
        "preprocess",
        "completion"
      })
  void shouldHelpWithEveryCommand(String command) {
    assertEquals(0, run(command, "--help"), err);
    assertTrue(out.contains("Usage: holdfast " + command), out);
    assertFalse(out.contains("\u001b"), "no colours where there is no terminal");
    assertEquals(0, run(command, "--version"), err);
    assertTrue(out.startsWith("holdfast " + BuildInfo.version()), out);
    assertEquals(0, run("--help"), err);
    assertTrue(out.contains("  " + command), out);
  }

  @Test
  void shouldKnowItsVersion() {
    assertEquals(0, run("--version"), err);
    assertTrue(out.matches("(?s)holdfast \\d+\\.\\d+\\.\\d+.*"), out);
  }

  @Test
  void shouldCompleteItsCommandsInAShell() throws Exception {
    assertEquals(0, run("completion"), err);
    assertTrue(out.contains("--max-rows-per-table"), out);
    Path script = Files.writeString(directory.resolve("completion"), out);
    assertEquals(
        0, new ProcessBuilder("bash", "-n", script.toString()).start().waitFor(), "bash -n");
  }

  @Test
  void shouldShowProgressInPlainLinesWhereThereIsNoTerminal() {
    assertEquals(0, trainWith());
    assertTrue(err.contains("training 100 %, 900 of 900 samples"), err);
    assertFalse(err.contains("\r"), err);
    assertFalse(err.contains("\u001b"), err);
  }
}
