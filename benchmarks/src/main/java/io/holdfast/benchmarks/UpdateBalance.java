package io.holdfast.benchmarks;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.settings.SettingOverride;
import io.holdfast.config.settings.Settings;
import io.holdfast.criteo.BadLinePolicy;
import io.holdfast.criteo.CriteoBatch;
import io.holdfast.criteo.CriteoFormat;
import io.holdfast.criteo.CriteoSource;
import io.holdfast.criteo.SampleReader;
import io.holdfast.criteo.SourceOptions;
import io.holdfast.criteo.Split;
import io.holdfast.worker.LookupPlan;
import io.holdfast.worker.WorkerData;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;

/**
 * How evenly updates fall on 5 servers: rows updated, plus parities updated, as counted over the
 * batches of a data file; the most to the least loaded server. Each distinct row of a batch is one
 * update, and one more at each of its parities.
 *
 * <p>Two placements of rows, and parities rotating over servers in both: Holdfast's stripes; and
 * ranges, where each server has an equal, contiguous piece of all tables laid end to end.
 *
 * <p>Arguments: preset, data file.
 */
public final class UpdateBalance {
  private static final int SERVERS = 5;
  private static final int BATCH = 2048;
  private static final int[][] CODES = {{1, 0}, {2, 1}, {4, 1}, {1, 1}, {2, 2}};

  private UpdateBalance() {}

  public static void main(String[] arguments) throws IOException {
    if (arguments.length != 2) {
      throw new IllegalArgumentException("arguments: PRESET DATA");
    }
    JobSpec job =
        Settings.load(
                List.of(),
                List.of(
                    SettingOverride.ofAssignment("model.preset=" + arguments[0]),
                    SettingOverride.ofAssignment("batch=" + BATCH)))
            .jobSpec(List.of(arguments[1]), 1);
    List<long[]> batches = batches(job, Path.of(arguments[1]));
    long updates = batches.stream().mapToLong(rows -> rows.length).sum();
    System.out.printf(
        Locale.ROOT,
        "%s, %,d rows, %d servers; %d batches of %d, %,.0f distinct rows each%n%n",
        arguments[0],
        job.model().totalRows(),
        SERVERS,
        batches.size(),
        BATCH,
        (double) updates / batches.size());
    System.out.println(
        "| redundancy | stripes: rows | rows + parities | ranges: rows | rows + parities |");
    System.out.println("|---|---|---|---|---|");
    for (int[] code : CODES) {
      StripeMap map = StripeMap.of(SERVERS, code[0], code[1], job.model().totalRows());
      long[][] stripes = loads(batches, map, false);
      long[][] ranges = loads(batches, map, true);
      System.out.printf(
          Locale.ROOT,
          "| %s | %.2f | %.2f | %.2f | %.2f |%n",
          code[1] == 0 ? "none" : "k = " + code[0] + ", r = " + code[1],
          ratio(stripes[0]),
          ratio(stripes[1]),
          ratio(ranges[0]),
          ratio(ranges[1]));
    }
  }

  /** The distinct rows of each batch. */
  private static List<long[]> batches(JobSpec job, Path data) throws IOException {
    List<long[]> batches = new ArrayList<>();
    LookupPlan plan = new LookupPlan(job.model(), job.stripeMap());
    CriteoBatch batch = new CriteoBatch(BATCH);
    try (CriteoSource source =
            CriteoSource.open(List.of(data.toString()), SourceOptions.defaults());
        SampleReader reader =
            source.reader(
                new Split(0, 0, source.length()),
                WorkerData.mapping(job.data(), job.model()),
                BadLinePolicy.fail())) {
      while (reader.read(batch) == BATCH) {
        plan.build(batch.ids(), CriteoFormat.CATEGORIES, BATCH);
        batches.add(Arrays.copyOf(plan.rows(), plan.unique()));
      }
    }
    return batches;
  }

  /** Rows updated by server, then rows and parities. */
  private static long[][] loads(List<long[]> batches, StripeMap map, boolean ranges) {
    long share = (map.rows() + SERVERS - 1) / SERVERS;
    long[] rows = new long[SERVERS];
    long[] all = new long[SERVERS];
    for (long[] batch : batches) {
      for (long row : batch) {
        // In ranges, the server's i-th row is the member that would be its i-th in stripes.
        long member = ranges ? map.rowAt((int) (row / share), row % share) : row;
        int owner = map.serverOfRow(member);
        rows[owner]++;
        all[owner]++;
        for (int parity = 0; parity < map.r(); parity++) {
          all[map.serverOf(member / map.k(), map.k() + parity)]++;
        }
      }
    }
    return new long[][] {rows, all};
  }

  private static double ratio(long[] loads) {
    long[] ascending = LongStream.of(loads).sorted().toArray();
    return (double) ascending[SERVERS - 1] / ascending[0];
  }
}
