package io.holdfast.launcher.cli;

import java.util.List;
import picocli.CommandLine.Option;

/**
 * What can be said of a job. Most options are short for settings ({@link SettingOptions#KEYS}), so
 * their values are texts here and are checked there.
 */
final class JobOptions {
  @Option(
      names = "--data",
      paramLabel = "PATH",
      description = "File or glob to train on, Criteo's format, plain, .gz or .zst. Repeatable.")
  List<String> data;

  @Option(
      names = "--eval",
      paramLabel = "PATH",
      description = "File or glob to score. Without it the last tenth of the data is held out.")
  List<String> eval;

  @Option(
      names = "--preset",
      paramLabel = "NAME",
      description = "kaggle, terabyte, mlperf or ecrm.")
  String preset;

  @Option(names = "--servers", paramLabel = "N", description = "Parameter servers.")
  String servers;

  @Option(
      names = "--standby",
      paramLabel = "N",
      description = "More servers, which wait to take the place of one that is lost.")
  String standby;

  @Option(names = "--workers", paramLabel = "W", description = "Workers.")
  String workers;

  @Option(names = "--batch", paramLabel = "B", description = "Samples of a worker's iteration.")
  String batch;

  @Option(names = "--epochs", paramLabel = "E", description = "Passes over the data.")
  String epochs;

  @Option(
      names = "--iterations",
      paramLabel = "I",
      description = "Iterations of all workers together, in place of --epochs.")
  String iterations;

  @Option(names = "--sync", paramLabel = "MODE", description = "async, bounded or sync.")
  String sync;

  @Option(
      names = "--optimizer",
      paramLabel = "NAME",
      description = "sgd, momentum, adagrad, rowwise-adagrad or adam.")
  String optimizer;

  @Option(names = "--learning-rate", paramLabel = "X", description = "After the warm-up.")
  String learningRate;

  @Option(
      names = "--max-rows-per-table",
      paramLabel = "M",
      description = "Cap; ids are mapped into so many rows.")
  String maxRowsPerTable;

  @Option(
      names = "--deterministic",
      negatable = true,
      description = "Same seed, same bytes: workers go in step and in order.")
  Boolean deterministic;

  @Option(
      names = "--redundancy",
      paramLabel = "KIND",
      description = "none or ecrm (erasure coding); this version has no checkpoint.")
  String redundancy;

  @Option(
      names = "--k",
      paramLabel = "K",
      description = "Rows of a stripe; 1: every row has r copies (redundancy ecrm).")
  String k;

  @Option(
      names = "--r",
      paramLabel = "R",
      description = "Parities of a stripe; it can miss so many servers (redundancy ecrm).")
  String r;

  @Option(
      names = "--code",
      paramLabel = "CODE",
      description = "xor (r = 1), rs (any r) or sum (floats, r = 1, rounds) (redundancy ecrm).")
  String code;

  @Option(
      names = "--nn-replicas",
      paramLabel = "COUNT",
      description = "Backups of every shard of the dense layers; auto: r (redundancy ecrm).")
  String nnReplicas;

  @Option(
      names = "--commit",
      paramLabel = "MODE",
      description = "two-phase (everywhere or nowhere), or one-phase, which is sooner but not so.")
  String commit;

  @Option(
      names = "--witness",
      negatable = true,
      description = "Backups keep what is staged, in case a worker and a server die together.")
  Boolean witness;

  @Option(
      names = "--bad-lines",
      paramLabel = "POLICY",
      description = "What malformed lines do: fail the job, or skip (counted, with a limit).")
  String badLines;

  @Option(
      names = "--cache",
      paramLabel = "FILE",
      description = "Preprocessed form of the data, made by preprocess.")
  String cache;
}
