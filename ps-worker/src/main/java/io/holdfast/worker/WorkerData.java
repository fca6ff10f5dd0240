package io.holdfast.worker;

import io.holdfast.config.job.DataSpec;
import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.TableSpec;
import io.holdfast.criteo.BadLinePolicy;
import io.holdfast.criteo.BatchCache;
import io.holdfast.criteo.CacheRefusedException;
import io.holdfast.criteo.CriteoDataException;
import io.holdfast.criteo.CriteoFormat;
import io.holdfast.criteo.CriteoSource;
import io.holdfast.criteo.IdMapping;
import io.holdfast.criteo.InputFile;
import io.holdfast.criteo.InputFiles;
import io.holdfast.criteo.Progress;
import io.holdfast.criteo.SampleReader;
import io.holdfast.criteo.SampleSource;
import io.holdfast.criteo.Split;
import java.util.List;

/** Opens a job's data as its description says, and reads it for a model's tables. */
public final class WorkerData implements AutoCloseable {
  private final SampleSource source;
  private final IdMapping mapping;
  private final BadLinePolicy policy;

  private WorkerData(SampleSource source, IdMapping mapping, BadLinePolicy policy) {
    this.source = source;
    this.mapping = mapping;
    this.policy = policy;
  }

  /**
   * Opens the files, or their cache where the description names one.
   *
   * @throws CriteoDataException if the data cannot be read or is not what was measured
   */
  public static WorkerData open(DataSpec spec, ModelSpec model) {
    BadLinePolicy policy = policy(spec);
    List<InputFile> inputs = InputFiles.find(spec.files());
    return new WorkerData(source(spec, inputs, policy), mapping(spec, model), policy);
  }

  private static SampleSource source(DataSpec spec, List<InputFile> inputs, BadLinePolicy policy) {
    if (!spec.cache().isEmpty()) {
      try {
        return BatchCache.open(
            java.nio.file.Path.of(spec.cache()),
            inputs,
            policy,
            BatchCache.Check.HEADER,
            Progress.NONE);
      } catch (CacheRefusedException e) {
        throw new CriteoDataException(e.getMessage(), e);
      }
    }
    long[] lengths = spec.lengths().stream().mapToLong(Long::longValue).toArray();
    return CriteoSource.measured(inputs, lengths);
  }

  /** What happens to bad lines. */
  public static BadLinePolicy policy(DataSpec spec) {
    return spec.badLineLimit() == 0
        ? BadLinePolicy.fail()
        : BadLinePolicy.skip(spec.badLineLimit());
  }

  /** How categories become rows of a model's tables. */
  public static IdMapping mapping(DataSpec spec, ModelSpec model) {
    long[] rows = new long[CriteoFormat.CATEGORIES];
    for (TableSpec table : model.tables()) {
      rows[table.column()] = table.rows();
    }
    return new IdMapping(spec.hashIds() ? IdMapping.Kind.HASH : IdMapping.Kind.MODULO, rows);
  }

  /** A reader of a stretch of one file. */
  public SampleReader reader(int file, long from, long to) {
    return source.reader(new Split(file, from, to), mapping, policy);
  }

  @Override
  public void close() {
    source.close();
  }
}
