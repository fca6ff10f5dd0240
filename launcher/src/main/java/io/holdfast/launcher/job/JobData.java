package io.holdfast.launcher.job;

import io.holdfast.config.job.DataSpec;
import io.holdfast.config.job.JobSpec;
import io.holdfast.criteo.BadLinePolicy;
import io.holdfast.criteo.BatchCache;
import io.holdfast.criteo.CacheRefusedException;
import io.holdfast.criteo.CriteoBatch;
import io.holdfast.criteo.CriteoDataException;
import io.holdfast.criteo.CriteoSource;
import io.holdfast.criteo.IdMapping;
import io.holdfast.criteo.InputFile;
import io.holdfast.criteo.InputFiles;
import io.holdfast.criteo.SampleReader;
import io.holdfast.criteo.SampleSource;
import io.holdfast.criteo.SourceOptions;
import io.holdfast.criteo.Split;
import io.holdfast.launcher.progress.Progress;
import io.holdfast.recovery.TrainingData;
import io.holdfast.worker.WorkerData;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A job's data, measured and cut: what is trained, in which pieces, and what is scored. */
final class JobData implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(JobData.class);

  /** Small data is cut finer than asked, so that every worker gets some. */
  private static final int LEAST_SPLITS_PER_WORKER = 4;

  /** About what a line takes; only the size of a cache's splits rests on it. */
  private static final int TYPICAL_LINE_BYTES = 250;

  private static final int ESTIMATE_SAMPLES = 1000;

  private static final long LEAST_SPLIT_BYTES = 64 << 10;

  private final SampleSource source;
  private final SampleSource evalSource;
  private final DataSpec spec;
  private final List<Split> training;
  private final List<Split> scoring;
  private final LaunchedPasses passes;

  /** How often the data is passed over. */
  private record LaunchedPasses(int epochs, long iterations) {}

  private JobData(
      SampleSource source,
      SampleSource evalSource,
      DataSpec spec,
      List<Split> training,
      List<Split> scoring,
      LaunchedPasses passes) {
    this.source = source;
    this.evalSource = evalSource;
    this.spec = spec;
    this.training = training;
    this.scoring = scoring;
    this.passes = passes;
  }

  /**
   * Opens and cuts the data of a request.
   *
   * @throws CriteoDataException if it cannot be read, or too little is left to train
   */
  static JobData open(TrainRequest request, Progress progress) {
    JobSpec job = request.job();
    DataSpec asked = job.data();
    BadLinePolicy policy = WorkerData.policy(asked);
    List<InputFile> inputs = InputFiles.find(asked.files());
    SourceOptions options =
        new SourceOptions((what, done, total) -> progress.at(what, done, total, "bytes"));
    SampleSource source = null;
    SampleSource evalSource = null;
    try {
      source = cache(asked, inputs, policy, progress);
      boolean cached = source != null;
      DataSpec spec;
      if (source == null) {
        CriteoSource files = CriteoSource.open(options, inputs);
        source = files;
        List<Long> lengths = Arrays.stream(files.lengths()).boxed().toList();
        spec = new DataSpec(asked.files(), lengths, asked.hashIds(), asked.badLineLimit(), "");
      } else {
        String path = Path.of(asked.cache()).toAbsolutePath().normalize().toString();
        spec = new DataSpec(asked.files(), List.of(), asked.hashIds(), asked.badLineLimit(), path);
      }
      long length = source.length();
      boolean heldOut = request.evalFiles().isEmpty();
      double share = heldOut ? request.launch().input().holdout() : 0;
      long boundary = length - Math.round(length * share);
      long splitLength = splitLength(request, boundary, cached);
      List<Split> training = source.splits(0, boundary, splitLength);
      if (training.isEmpty()) {
        throw new CriteoDataException(
            String.join(", ", asked.files())
                + ": nothing is left to train beside what is held out");
      }
      evalSource = heldOut ? source : CriteoSource.open(request.evalFiles(), options);
      List<Split> scoring =
          heldOut
              ? source.splits(boundary, length, Math.max(1, length))
              : evalSource.splits(0, evalSource.length(), evalSource.length());
      return new JobData(
          source,
          evalSource,
          spec,
          training,
          scoring,
          new LaunchedPasses(request.launch().epochs(), request.launch().iterations()));
    } catch (RuntimeException e) {
      if (evalSource != null && evalSource != source) {
        evalSource.close();
      }
      if (source != null) {
        source.close();
      }
      throw e;
    }
  }

  /** The cache if there is one that fits; a word and null if it does not. */
  private static SampleSource cache(
      DataSpec asked, List<InputFile> inputs, BadLinePolicy policy, Progress progress) {
    if (asked.cache().isEmpty()) {
      return null;
    }
    try {
      return BatchCache.open(
          Path.of(asked.cache()),
          inputs,
          policy,
          BatchCache.Check.FULL,
          (what, done, total) -> progress.at(what, done, total, "rows"));
    } catch (CacheRefusedException e) {
      LOG.warn("{}; reading the files instead", e.getMessage());
      return null;
    }
  }

  private static long splitLength(TrainRequest request, long length, boolean cached) {
    long pieces = (long) request.job().workers() * LEAST_SPLITS_PER_WORKER;
    long asked = request.launch().input().splitBytes();
    if (cached) {
      // Whole batches, so that only a file's end leaves a smaller one.
      long batch = request.job().batch();
      long rows = Math.min(asked / TYPICAL_LINE_BYTES, length / pieces);
      return Math.max(1, rows / batch) * batch;
    }
    return Math.max(Math.min(asked, length / pieces), LEAST_SPLIT_BYTES);
  }

  /** The data as workers are to open it. */
  DataSpec spec() {
    return spec;
  }

  /** The pieces that the coordinator deals out. */
  TrainingData training() {
    List<io.holdfast.recovery.Split> splits =
        training.stream()
            .map(s -> new io.holdfast.recovery.Split(s.file(), s.from(), s.to()))
            .toList();
    return passes.iterations() > 0
        ? TrainingData.ofIterations(splits, passes.iterations())
        : TrainingData.ofPasses(splits, passes.epochs());
  }

  /** About how many samples a job trains, all passes together, by the data's first thousand. */
  double estimatedSamples(JobSpec job) {
    double units = training.stream().mapToDouble(split -> split.to() - split.from()).sum();
    Split first = training.getFirst();
    IdMapping mapping = WorkerData.mapping(spec, job.model());
    CriteoBatch batch = new CriteoBatch(ESTIMATE_SAMPLES);
    try (SampleReader reader = source.reader(first, mapping, WorkerData.policy(spec))) {
      int read = reader.read(batch);
      double each = (double) (reader.position() - first.from()) / Math.max(1, read);
      return passes.epochs() * units / Math.max(1, each);
    }
  }

  /** Where the scored samples come from. */
  SampleSource evalSource() {
    return evalSource;
  }

  /** What is scored. */
  List<Split> scoring() {
    return scoring;
  }

  @Override
  public void close() {
    if (evalSource != source) {
      evalSource.close();
    }
    source.close();
  }
}
