package io.holdfast.recovery;

import io.holdfast.config.control.WorkerControl.WorkerFinished;
import io.holdfast.config.control.WorkerControl.WorkerProgress;
import io.holdfast.config.placement.NodeId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Adds up what workers report. A dead worker's share of the work stays counted. */
final class ProgressBoard {
  private static final class Line {
    long samples;
    long iterations;
    long newSamples;
    double loss = Double.NaN;
    double auc = Double.NaN;
  }

  /** By incarnation. */
  private final Map<Long, Line> lines = new LinkedHashMap<>();

  void on(WorkerProgress report) {
    Line line = lines.computeIfAbsent(report.incarnation(), key -> new Line());
    line.newSamples = report.samples() - line.samples;
    line.samples = report.samples();
    line.iterations = report.iterations();
    if (!Double.isNaN(report.loss())) {
      line.loss = report.loss();
    }
    if (!Double.isNaN(report.auc())) {
      line.auc = report.auc();
    }
  }

  void on(WorkerFinished report) {
    Line line = lines.computeIfAbsent(report.incarnation(), key -> new Line());
    line.samples = report.samples();
    line.iterations = report.iterations();
  }

  /** A dead worker's work stays counted; its last loss and AUC say nothing of the present. */
  void dead(long incarnation) {
    Line line = lines.get(incarnation);
    if (line != null) {
      line.loss = Double.NaN;
      line.auc = Double.NaN;
    }
  }

  JobProgress progress(
      JobPhase phase,
      int servers,
      int workers,
      List<NodeId> lost,
      JobProgress.Replacing replacing) {
    long samples = 0;
    long iterations = 0;
    Mean loss = new Mean();
    Mean auc = new Mean();
    for (Line line : lines.values()) {
      samples += line.samples;
      iterations += line.iterations;
      loss.add(line.loss, line.newSamples);
      auc.add(line.auc, line.samples);
    }
    return new JobProgress(
        phase, servers, workers, lost, replacing, samples, iterations, loss.value(), auc.value());
  }

  /** A weighted mean of those values that are numbers. */
  private static final class Mean {
    private double sum;
    private long weights;

    void add(double value, long weight) {
      if (!Double.isNaN(value) && weight > 0) {
        sum += value * weight;
        weights += weight;
      }
    }

    double value() {
      return weights == 0 ? Double.NaN : sum / weights;
    }
  }
}
