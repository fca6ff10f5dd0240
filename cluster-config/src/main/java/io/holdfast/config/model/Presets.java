package io.holdfast.config.model;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** The models that can be asked for by name. Cardinalities are the published ones. */
public final class Presets {
  /** Criteo Kaggle, C1 to C26. */
  private static final long[] KAGGLE_ROWS = {
    1460, 583, 10131227, 2202608, 305, 24, 12517, 633, 3, 93145, 5683, 8351593, 3194, 27, 14992,
    5461306, 10, 5652, 2173, 4, 7046547, 18, 15, 286181, 105, 142572
  };

  /** Criteo Terabyte with MLPerf's cap of 40 M rows per table. */
  private static final long[] TERABYTE_40M_ROWS = {
    39884406, 39043, 17289, 7420, 20263, 3, 7120, 1543, 63, 38532951, 2953546, 403346, 10, 2208,
    11938, 155, 4, 976, 14, 39979771, 25641295, 39664984, 585935, 12972, 108, 36
  };

  /** Criteo Terabyte with a cap of 10 M rows per table. */
  private static final long[] TERABYTE_10M_ROWS = {
    9980333, 36084, 17217, 7378, 20134, 3, 7112, 1442, 61, 9758201, 1333352, 313829, 10, 2208,
    11156, 122, 4, 970, 14, 9994222, 7267859, 9946608, 415421, 12420, 101, 36
  };

  /** The 13 largest of the 26: the paper's model has 13 tables of about 200 M rows together. */
  private static final int[] ECRM_COLUMNS = {0, 1, 2, 4, 9, 10, 11, 14, 19, 20, 21, 22, 23};

  private static final Map<String, ModelSpec> PRESETS = new LinkedHashMap<>();

  static {
    int[] all = IntStream.range(0, 26).toArray();
    put(
        "kaggle",
        16,
        List.of(13, 512, 256, 64, 16),
        List.of(512, 256, 1),
        Interaction.DOT,
        all,
        KAGGLE_ROWS);
    put(
        "terabyte",
        64,
        List.of(13, 512, 256, 64),
        List.of(512, 512, 256, 1),
        Interaction.DOT,
        all,
        TERABYTE_10M_ROWS);
    put(
        "mlperf",
        128,
        List.of(13, 512, 256, 128),
        List.of(1024, 1024, 512, 256, 1),
        Interaction.DOT,
        all,
        TERABYTE_40M_ROWS);
    put(
        "ecrm",
        128,
        List.of(13, 512, 256, 128),
        List.of(1024, 1024, 512, 256, 1),
        Interaction.SUM,
        ECRM_COLUMNS,
        TERABYTE_40M_ROWS);
  }

  private Presets() {}

  private static void put(
      String name,
      int dim,
      List<Integer> bottom,
      List<Integer> top,
      Interaction interaction,
      int[] columns,
      long[] rows) {
    List<TableSpec> tables =
        IntStream.of(columns).mapToObj(column -> new TableSpec(column, rows[column])).toList();
    PRESETS.put(name, new ModelSpec(name, dim, bottom, top, interaction, tables));
  }

  /** Names of all presets in the order in which they are shown. */
  public static List<String> names() {
    return List.copyOf(PRESETS.keySet());
  }

  /**
   * A preset.
   *
   * @throws IllegalArgumentException naming the known presets if there is none of this name
   */
  public static ModelSpec named(String name) {
    ModelSpec preset = PRESETS.get(name);
    if (preset == null) {
      throw new IllegalArgumentException(
          "no preset is named '" + name + "'; there are " + String.join(", ", PRESETS.keySet()));
    }
    return preset;
  }
}
