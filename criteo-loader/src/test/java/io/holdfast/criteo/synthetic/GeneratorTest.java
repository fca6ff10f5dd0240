package io.holdfast.criteo.synthetic;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.criteo.BadLinePolicy;
import io.holdfast.criteo.CriteoBatch;
import io.holdfast.criteo.CriteoSource;
import io.holdfast.criteo.IdMapping;
import io.holdfast.criteo.Progress;
import io.holdfast.criteo.SampleReader;
import io.holdfast.criteo.SourceOptions;
import io.holdfast.criteo.Split;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GeneratorTest {
  private static final int ROWS = 20_000;

  @TempDir Path directory;

  private GenerationReport generate(String name, int threads) {
    return Generator.write(
        new GeneratorOptions(
            ROWS,
            9,
            SyntheticCriteo.DEFAULT_MODEL_SEED,
            directory.resolve(name),
            threads,
            Progress.NONE));
  }

  @Test
  void shouldWriteWhatAReaderReadsInEveryFormat() throws Exception {
    long[] tables = new long[26];
    Arrays.fill(tables, Integer.MAX_VALUE);
    IdMapping mapping = new IdMapping(IdMapping.Kind.MODULO, tables);
    SyntheticCriteo world = new SyntheticCriteo(9);
    SyntheticRow row = new SyntheticRow();
    for (String name : List.of("a.tsv", "a.tsv.gz", "a.tsv.zst")) {
      GenerationReport report = generate(name, 2);
      assertEquals(Files.size(directory.resolve(name)), report.bytes());
      CriteoBatch batch = new CriteoBatch(999);
      long index = 0;
      long clicks = 0;
      try (CriteoSource source =
              CriteoSource.open(
                  List.of(directory.resolve(name).toString()), SourceOptions.defaults());
          SampleReader reader =
              source.reader(new Split(0, 0, source.length()), mapping, BadLinePolicy.fail())) {
        while (reader.read(batch) > 0) {
          for (int i = 0; i < batch.size(); i++, index++) {
            world.generate(index, row);
            assertEquals(row.click() ? 1f : 0f, batch.labels()[i]);
            clicks += row.click() ? 1 : 0;
            for (int column = 0; column < 13; column++) {
              double expected = Math.log1p(Math.max(0, row.integer(column)));
              assertEquals(expected, batch.dense()[i * 13 + column], 1e-6);
            }
            for (int column = 0; column < 26; column++) {
              assertEquals(mapping.row(column, row.category(column)), batch.ids()[i * 26 + column]);
            }
          }
        }
      }
      assertEquals(ROWS, index);
      assertEquals(clicks, report.clicks());
    }
    try (java.util.stream.Stream<Path> files = Files.list(directory)) {
      assertEquals(3, files.count(), "temporary files are left");
    }
  }

  @Test
  void shouldWriteTheSameBytesWhateverTheThreads() throws Exception {
    GenerationReport one = generate("one.gz", 1);
    GenerationReport three = generate("three.gz", 3);
    assertArrayEquals(
        Files.readAllBytes(directory.resolve("one.gz")),
        Files.readAllBytes(directory.resolve("three.gz")));
    assertEquals(one.plantedAuc(), three.plantedAuc());
    assertEquals(one.expectedLogLoss(), three.expectedLogLoss());
  }

  @Test
  void shouldComputeAucAndLogLossExactlyWithTies() {
    SplittableRandom random = new SplittableRandom(4);
    int rows = 500;
    PlantedScore exact = new PlantedScore(rows);
    PlantedScore histogram = new PlantedScore(PlantedScore.MAX_EXACT_ROWS + 1);
    double[] probabilities = new double[rows];
    boolean[] clicks = new boolean[rows];
    double logLoss = 0;
    double entropy = 0;
    for (int i = 0; i < rows; i++) {
      double p = (1 + random.nextInt(60)) / 64.0;
      probabilities[i] = p;
      clicks[i] = random.nextDouble() < p;
      exact.add(p, clicks[i]);
      histogram.add(p, clicks[i]);
      logLoss -= Math.log(clicks[i] ? p : 1 - p) / rows;
      entropy -= (p * Math.log(p) + (1 - p) * Math.log(1 - p)) / rows;
    }
    double wins = 0;
    double pairs = 0;
    double expectedWins = 0;
    double expectedPairs = 0;
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < rows; j++) {
        double win = Math.signum(probabilities[i] - probabilities[j]) / 2 + 0.5;
        double weight = probabilities[i] * (1 - probabilities[j]);
        expectedPairs += weight;
        expectedWins += weight * win;
        if (clicks[i] && !clicks[j]) {
          pairs++;
          wins += win;
        }
      }
    }
    for (PlantedScore score : List.of(exact, histogram)) {
      GenerationReport report = score.report(1, 2);
      assertEquals(wins / pairs, report.plantedAuc(), 1e-12);
      assertEquals(expectedWins / expectedPairs, report.expectedAuc(), 1e-9);
      assertEquals(logLoss, report.plantedLogLoss(), 1e-12);
      assertEquals(entropy, report.expectedLogLoss(), 1e-12);
    }
  }

  /** Full size by hand: see {@link Learnability}. */
  @Test
  void shouldNeedInteractionsToLearn() {
    long rows = 120_000;
    Path file = directory.resolve("learn.tsv");
    GenerationReport report = Generator.write(GeneratorOptions.of(rows, 1, file));
    assertEquals(0.80, report.plantedAuc(), 0.01);
    assertEquals(report.expectedAuc(), report.plantedAuc(), 0.004);
    assertEquals(report.expectedLogLoss(), report.plantedLogLoss(), 0.004);
    Learnability.Result linear = Learnability.train(file, rows, 1, 100_000, 0, 0.05f);
    Learnability.Result machine = Learnability.train(file, rows, 1, 100_000, 16, 0.1f);
    assertTrue(linear.auc() < linear.bestAuc() - 0.03, "linear " + linear);
    assertTrue(linear.auc() > 0.65, "linear " + linear);
    assertTrue(machine.auc() > linear.auc() + 0.03, machine + " against " + linear);
  }
}
