package io.holdfast.criteo.synthetic;

import io.holdfast.criteo.BadLinePolicy;
import io.holdfast.criteo.CriteoBatch;
import io.holdfast.criteo.CriteoSource;
import io.holdfast.criteo.IdMapping;
import io.holdfast.criteo.SampleReader;
import io.holdfast.criteo.SourceOptions;
import io.holdfast.criteo.Split;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What models learn from generated rows: one epoch over the first nine tenths, scored on the last.
 */
final class Learnability {
  /** Scores on the held-out tenth. */
  record Result(double auc, double logLoss, double bestAuc, double bestLogLoss) {}

  private Learnability() {}

  /** By hand: {@code Learnability ROWS CAP [RATE]}. */
  public static void main(String[] arguments) throws Exception {
    long rows = Long.parseLong(arguments[0]);
    long cap = Long.parseLong(arguments[1]);
    float rate = arguments.length > 2 ? Float.parseFloat(arguments[2]) : 0.05f;
    Path file = Files.createTempFile("planted", ".tsv");
    try {
      System.out.println(Generator.write(GeneratorOptions.of(rows, 1, file)));
      for (int rank : new int[] {0, 8, 16}) {
        long started = System.nanoTime();
        Result result = train(file, rows, 1, cap, rank, rate);
        System.out.printf(
            "rank %d: %s, %.1f s%n", rank, result, (System.nanoTime() - started) / 1e9);
      }
    } finally {
      Files.delete(file);
    }
  }

  static IdMapping capped(long cap) {
    long[] tables = new long[26];
    java.util.Arrays.setAll(tables, c -> Math.min(cap, KaggleShape.cardinality(c)));
    return new IdMapping(IdMapping.Kind.MODULO, tables);
  }

  static Result train(Path file, long rows, long seed, long cap, int rank, float rate) {
    IdMapping mapping = capped(cap);
    FactorizationMachine model = new FactorizationMachine(mapping, rank, rate, 42);
    SyntheticCriteo world = new SyntheticCriteo(seed);
    SyntheticRow row = new SyntheticRow();
    long trained = rows * 9 / 10;
    PlantedScore score = new PlantedScore(rows - trained);
    PlantedScore best = new PlantedScore(rows - trained);
    CriteoBatch batch = new CriteoBatch(1024);
    long index = 0;
    try (CriteoSource source =
            CriteoSource.open(List.of(file.toString()), SourceOptions.defaults());
        SampleReader reader =
            source.reader(new Split(0, 0, source.length()), mapping, BadLinePolicy.fail())) {
      while (reader.read(batch) > 0) {
        for (int i = 0; i < batch.size(); i++, index++) {
          if (index < trained) {
            model.rate(rate * (trained - index) / trained);
            model.train(batch, i);
          } else {
            world.generate(index, row);
            score.add(Math.clamp(model.predict(batch, i), 1e-6, 1 - 1e-6), row.click());
            best.add(row.probability(), row.click());
          }
        }
      }
    }
    GenerationReport learned = score.report(0, 0);
    GenerationReport planted = best.report(0, 0);
    return new Result(
        learned.plantedAuc(),
        learned.plantedLogLoss(),
        planted.plantedAuc(),
        planted.plantedLogLoss());
  }
}
