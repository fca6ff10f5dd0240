package io.holdfast.worker.dense;

import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.NnLayout.Layer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The same step by DL4J's {@link ComputationGraph}. DL4J keeps weights as {@code [in, out]}
 * column-major, which is our layout transposed, so parameters and gradients are copied once a step.
 */
final class Dl4jEngine implements DenseEngine {
  private static final String INTERACTION = "interaction";

  private final EngineBuffers buffers;
  private final ComputationGraph graph;
  private final List<LayerParameters> layers = new ArrayList<>();

  /** One layer's tensors as views of our flat vectors, and DL4J's own parameters. */
  private record LayerParameters(
      String name,
      INDArray weights,
      INDArray bias,
      INDArray weightGradient,
      INDArray biasGradient,
      INDArray graphWeights,
      INDArray graphBias) {

    void upload() {
      graphWeights.assign(weights.transpose());
      graphBias.assign(bias.reshape(graphBias.shape()));
    }

    void download(Map<String, INDArray> gradients) {
      weightGradient.assign(gradients.get(name + "_W").transpose());
      biasGradient.assign(gradients.get(name + "_b").reshape(biasGradient.shape()));
    }
  }

  Dl4jEngine(ModelSpec model, int capacity, int threads) {
    Nd4jRuntime.start(threads);
    Nd4j.getEnvironment().setMaxThreads(threads);
    Nd4j.getEnvironment().setMaxMasterThreads(threads);
    buffers = new EngineBuffers(model, capacity);
    graph = new ComputationGraph(configuration());
    graph.init();
    List<Layer> all = new ArrayList<>(buffers.layout.bottom());
    all.addAll(buffers.layout.top());
    for (Layer layer : all) {
      layers.add(
          new LayerParameters(
              layer.name(),
              buffers.parameters.block(layer.weights(), layer.out(), layer.in()).matrix(),
              buffers.parameters.block(layer.bias(), layer.out(), 1).matrix(),
              buffers.gradients.block(layer.weights(), layer.out(), layer.in()).matrix(),
              buffers.gradients.block(layer.bias(), layer.out(), 1).matrix(),
              graph.getLayer(layer.name()).getParam("W"),
              graph.getLayer(layer.name()).getParam("b")));
    }
  }

  private ComputationGraphConfiguration configuration() {
    ComputationGraphConfiguration.GraphBuilder builder =
        new NeuralNetConfiguration.Builder()
            .trainingWorkspaceMode(WorkspaceMode.ENABLED)
            .inferenceWorkspaceMode(WorkspaceMode.ENABLED)
            .graphBuilder()
            .addInputs("dense");
    String previous = "dense";
    for (Layer layer : buffers.layout.bottom()) {
      previous = addHidden(builder, layer, previous);
    }
    builder.addVertex(INTERACTION, InteractionVertex.of(buffers), previous);
    previous = INTERACTION;
    List<Layer> top = buffers.layout.top();
    for (Layer layer : top.subList(0, top.size() - 1)) {
      previous = addHidden(builder, layer, previous);
    }
    Layer last = top.getLast();
    OutputLayer output =
        new OutputLayer.Builder(new LogitsLoss(buffers))
            .nIn(last.in())
            .nOut(last.out())
            .activation(Activation.IDENTITY)
            .build();
    return builder.addLayer(last.name(), output, previous).setOutputs(last.name()).build();
  }

  private static String addHidden(
      ComputationGraphConfiguration.GraphBuilder builder, Layer layer, String previous) {
    DenseLayer dense =
        new DenseLayer.Builder()
            .nIn(layer.in())
            .nOut(layer.out())
            .activation(Activation.RELU)
            .build();
    builder.addLayer(layer.name(), dense, previous);
    return layer.name();
  }

  private INDArray denseInput(int batch) {
    return buffers.dense.rowMajor(batch, buffers.model.denseFeatures());
  }

  @Override
  public double step(int batch) {
    buffers.checkBatch(batch);
    layers.forEach(LayerParameters::upload);
    graph.setInputs(denseInput(batch));
    graph.setLabels(buffers.labels.rowMajor(batch, 1));
    graph.computeGradientAndScore();
    Map<String, INDArray> gradients = graph.gradient().gradientForVariable();
    layers.forEach(layer -> layer.download(gradients));
    graph.clear();
    return BinaryCrossEntropy.sum(buffers.logits.segment(), buffers.labels.segment(), 0, batch)
        / batch;
  }

  @Override
  public void predict(int batch, MemorySegment probabilities) {
    buffers.checkBatch(batch);
    layers.forEach(LayerParameters::upload);
    INDArray logits = graph.outputSingle(false, denseInput(batch));
    buffers.logits.rowMajor(batch, 1).assign(logits);
    logits.close();
    BinaryCrossEntropy.probabilities(buffers.logits.segment(), batch, probabilities);
  }

  @Override
  public int capacity() {
    return buffers.capacity;
  }

  @Override
  public MemorySegment parameters() {
    return buffers.parameters.segment();
  }

  @Override
  public MemorySegment dense() {
    return buffers.dense.segment();
  }

  @Override
  public MemorySegment features() {
    return buffers.features.segment();
  }

  @Override
  public MemorySegment labels() {
    return buffers.labels.segment();
  }

  @Override
  public MemorySegment logits() {
    return buffers.logits.segment();
  }

  @Override
  public MemorySegment gradients() {
    return buffers.gradients.segment();
  }

  @Override
  public MemorySegment featureGradients() {
    return buffers.featureGradients.segment();
  }

  @Override
  public String findNonFinite(int batch) {
    return buffers.findNonFinite(batch);
  }

  @Override
  public void close() {
    graph.close();
    buffers.close();
  }
}
