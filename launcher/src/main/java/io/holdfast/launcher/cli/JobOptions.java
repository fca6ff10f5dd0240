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
      description = "none; this version has no ecrm and checkpoint.")
  String redundancy;

  @Option(names = "--k", paramLabel = "K", description = "Rows of a stripe (redundancy ecrm).")
  String k;

  @Option(names = "--r", paramLabel = "R", description = "Parities of a stripe (redundancy ecrm).")
  String r;

  @Option(names = "--code", paramLabel = "CODE", description = "xor, rs or sum (redundancy ecrm).")
  String code;

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
