package io.holdfast.launcher.picture;

import io.holdfast.launcher.report.Fault;
import java.awt.Color;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.knowm.xchart.AnnotationLine;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Throughput over time, with a line where something failed. */
public final class ThroughputPicture {
  private static final Color DEATH = new Color(0xB0, 0x20, 0x20);
  private static final Color OTHER = new Color(0xD0, 0x90, 0x20);

  private ThroughputPicture() {}

  /** Whether a file's name says what kind of picture it is to be. */
  public static boolean canWrite(Path file) {
    return isSvg(file) || file.toString().toLowerCase(Locale.ROOT).endsWith(".png");
  }

  private static boolean isSvg(Path file) {
    return file.toString().toLowerCase(Locale.ROOT).endsWith(".svg");
  }

  /**
   * Draws into a file, SVG or PNG by its name.
   *
   * @param rates at least one
   */
  public static void write(
      Path file, List<ThroughputRecorder.Rate> rates, String unit, List<Fault> faults)
      throws IOException {
    System.setProperty("java.awt.headless", "true");
    XYChart chart =
        new XYChartBuilder()
            .width(1000)
            .height(450)
            .title("Training while servers die")
            .xAxisTitle("seconds since training began")
            .yAxisTitle(unit + " per second")
            .build();
    chart.getStyler().setLegendPosition(LegendPosition.InsideSE);
    chart.getStyler().setYAxisMin(0.0);
    chart.getStyler().setAnnotationLineColor(DEATH);
    chart
        .addSeries(
            "throughput",
            rates.stream().mapToDouble(ThroughputRecorder.Rate::seconds).toArray(),
            rates.stream().mapToDouble(ThroughputRecorder.Rate::rate).toArray())
        .setMarker(SeriesMarkers.NONE);
    double top = rates.stream().mapToDouble(ThroughputRecorder.Rate::rate).max().orElse(1);
    int number = 0;
    for (Fault fault : faults) {
      if (!Double.isFinite(fault.atSeconds())) {
        continue;
      }
      Color color = fault.event().endsWith("-died") ? DEATH : OTHER;
      chart.addAnnotation(new AnnotationLine(fault.atSeconds(), true, false));
      // A series of one point, for the legend.
      var named =
          chart.addSeries(
              ++number + " " + fault.event() + " " + fault.node(),
              new double[] {fault.atSeconds()},
              new double[] {top});
      named.setMarker(SeriesMarkers.DIAMOND);
      named.setMarkerColor(color);
    }
    try (OutputStream out = Files.newOutputStream(file)) {
      if (isSvg(file)) {
        VectorGraphicsEncoder.saveVectorGraphic(chart, out, VectorGraphicsFormat.SVG);
      } else {
        BitmapEncoder.saveBitmap(chart, out, BitmapFormat.PNG);
      }
    }
  }
}
