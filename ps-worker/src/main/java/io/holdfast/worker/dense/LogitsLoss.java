package io.holdfast.worker.dense;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/**
 * Mean binary cross entropy on logits for DL4J, whose own clips probabilities. Labels and logits
 * are those of the engine's buffers; DL4J's arrays of labels only carry the batch's size.
 */
final class LogitsLoss implements ILossFunction {
  private static final long serialVersionUID = 1L;

  private final transient EngineBuffers buffers;

  LogitsLoss(EngineBuffers buffers) {
    this.buffers = buffers;
  }

  @Override
  public double computeScore(
      INDArray labels, INDArray logits, IActivation activation, INDArray mask, boolean average) {
    int batch = keep(logits);
    double sum =
        BinaryCrossEntropy.sum(buffers.logits.segment(), buffers.labels.segment(), 0, batch);
    return average ? sum / batch : sum;
  }

  @Override
  public INDArray computeScoreArray(
      INDArray labels, INDArray logits, IActivation activation, INDArray mask) {
    int batch = keep(logits);
    INDArray scores = Nd4j.create(DataType.FLOAT, batch, 1);
    for (int sample = 0; sample < batch; sample++) {
      scores.putScalar(
          sample, BinaryCrossEntropy.loss(at(buffers.logits, sample), at(buffers.labels, sample)));
    }
    return scores;
  }

  /** Gradient of the mean, where DL4J's own losses give that of the sum. */
  @Override
  public INDArray computeGradient(
      INDArray labels, INDArray logits, IActivation activation, INDArray mask) {
    int batch = keep(logits);
    INDArray gradient = Nd4j.create(DataType.FLOAT, batch, 1);
    for (int sample = 0; sample < batch; sample++) {
      double error =
          BinaryCrossEntropy.probability(at(buffers.logits, sample)) - at(buffers.labels, sample);
      gradient.putScalar(sample, error / batch);
    }
    return gradient;
  }

  @Override
  public Pair<Double, INDArray> computeGradientAndScore(
      INDArray labels, INDArray logits, IActivation activation, INDArray mask, boolean average) {
    return new Pair<>(
        computeScore(labels, logits, activation, mask, average),
        computeGradient(labels, logits, activation, mask));
  }

  @Override
  public String name() {
    return "binary cross entropy on logits";
  }

  private int keep(INDArray logits) {
    int batch = (int) logits.size(0);
    buffers.logits.rowMajor(batch, 1).assign(logits);
    return batch;
  }

  private static double at(FloatArray array, int sample) {
    MemorySegment segment = array.segment();
    return segment.getAtIndex(ValueLayout.JAVA_FLOAT, sample);
  }
}
