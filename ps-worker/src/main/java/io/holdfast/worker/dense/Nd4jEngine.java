package io.holdfast.worker.dense;

import io.holdfast.config.model.Interaction;
import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.NnLayout.Layer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * The hand-written step: GEMMs by ND4J, the loops between them by {@link Kernels}. Backpropagation
 * in its textbook form, with these habits: matrices are column-major {@code [features, batch]};
 * every activation is kept once, after its ReLU, and is overwritten by its own gradient; the batch
 * is cut into as many {@link Slice}s as there are threads.
 */
final class Nd4jEngine implements DenseEngine {
  private final EngineBuffers buffers;
  private final int threads;
  private final Team team;

  /** One hidden layer's outputs, {@code [capacity][out]}: the bottom MLP's, then the top MLP's. */
  private final List<FloatArray> activations = new ArrayList<>();

  private final FloatArray topInput;
  private final FloatArray topInputGradient;

  /** A layer's output's gradient until the ReLU before it has been passed. */
  private final FloatArray scratch;

  private final int scratchWidth;

  /** The NN gradient of each slice; the first is the engine's and receives the sum. */
  private final List<FloatArray> partialGradients = new ArrayList<>();

  private final List<FeatureInteraction> interactions = new ArrayList<>();
  private final List<Slice> fullBatch;
  private int otherBatchSize;
  private List<Slice> otherBatch;

  Nd4jEngine(ModelSpec model, int capacity, int threads) {
    // One thread for each GEMM: the slices are what runs side by side.
    Nd4jRuntime.start(1);
    this.threads = threads;
    buffers = new EngineBuffers(model, capacity);
    int width = model.interactionWidth();
    int widest = Math.max(model.dim(), width);
    for (Layer layer : hiddenLayers()) {
      activations.add(buffers.allocate((long) capacity * layer.out()));
      widest = Math.max(widest, layer.out());
    }
    scratchWidth = widest;
    scratch = buffers.allocate((long) capacity * widest);
    boolean cat = model.interaction() == Interaction.CAT;
    topInput = cat ? buffers.features : buffers.allocate((long) capacity * width);
    topInputGradient = cat ? buffers.featureGradients : buffers.allocate((long) capacity * width);
    for (int thread = 0; thread < threads; thread++) {
      partialGradients.add(
          thread == 0 ? buffers.gradients : buffers.allocate(buffers.layout.parameters()));
      interactions.add(new FeatureInteraction(model.interaction(), buffers.slots, model.dim()));
    }
    team = new Team(threads);
    fullBatch = slices(capacity);
  }

  private List<Layer> hiddenLayers() {
    List<Layer> hidden = new ArrayList<>(buffers.layout.bottom());
    hidden.addAll(buffers.layout.top().subList(0, buffers.layout.top().size() - 1));
    return hidden;
  }

  private List<Slice> slices(int batch) {
    int count = Math.min(threads, batch);
    List<Slice> slices = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int from = (int) ((long) batch * i / count);
      int to = (int) ((long) batch * (i + 1) / count);
      slices.add(new Slice(i, from, to, 1f / batch));
    }
    return slices;
  }

  private List<Slice> slicesFor(int batch) {
    if (batch == buffers.capacity) {
      return fullBatch;
    }
    if (batch != otherBatchSize) {
      otherBatch = slices(batch);
      otherBatchSize = batch;
    }
    return otherBatch;
  }

  @Override
  public double step(int batch) {
    buffers.checkBatch(batch);
    List<Slice> slices = slicesFor(batch);
    team.run(
        slices.size(),
        part -> {
          slices.get(part).forward();
          slices.get(part).backward();
        });
    team.run(slices.size(), part -> addGradients(part, slices.size()));
    double loss = 0;
    for (Slice slice : slices) {
      loss += slice.lossSum;
    }
    return loss / batch;
  }

  /** Adds the slices' gradients, first to last, in one of {@code parts} shares of the vector. */
  private void addGradients(int part, int parts) {
    long length = buffers.layout.parameters();
    long from = length * part / parts;
    long to = length * (part + 1) / parts;
    for (int other = 1; other < parts; other++) {
      Kernels.add(
          buffers.gradients.segment(),
          from,
          partialGradients.get(other).segment(),
          from,
          to - from);
    }
  }

  @Override
  public void predict(int batch, MemorySegment probabilities) {
    buffers.checkBatch(batch);
    List<Slice> slices = slicesFor(batch);
    team.run(slices.size(), part -> slices.get(part).forward());
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
    team.close();
    buffers.close();
  }

  /**
   * One hidden layer on one slice.
   *
   * @param bias index of the first bias in the flat vector
   * @param output after ReLU; backward leaves the pre-activation's gradient here
   * @param outputGradient where backward finds the gradient of {@code output}
   * @param inputGradient where backward leaves the gradient of {@code input}; null for the first
   */
  private record LayerStep(
      int bias,
      Block weights,
      Block weightGradient,
      Block input,
      Block output,
      Block outputGradient,
      Block inputGradient) {

    void forward(MemorySegment parameters) {
      Block.multiply(weights, false, input, false, output);
      Kernels.biasRelu(
          output.memory(), output.offset(), output.rows(), output.columns(), parameters, bias);
    }

    void backward() {
      Kernels.reluBackward(
          output.memory(),
          output.offset(),
          outputGradient.memory(),
          outputGradient.offset(),
          output.rows(),
          output.columns(),
          weightGradient.memory(),
          bias);
      Block.multiply(output, false, input, true, weightGradient);
      if (inputGradient != null) {
        Block.multiply(weights, true, output, false, inputGradient);
      }
    }
  }

  /** The samples {@code from} to {@code to} of a batch, all layers, on one thread. */
  private final class Slice {
    private final int from;
    private final int to;
    private final float gradientScale;
    private final MemorySegment gradients;
    private final FeatureInteraction interaction;
    private final List<LayerStep> bottom = new ArrayList<>();
    private final List<LayerStep> top = new ArrayList<>();
    private final Layer last = buffers.layout.top().getLast();

    /** What the last layer reads, and where its gradient goes. */
    private final Block lastInput;

    private final Block lastInputGradient;
    private double lossSum;

    Slice(int part, int from, int to, float gradientScale) {
      this.from = from;
      this.to = to;
      this.gradientScale = gradientScale;
      FloatArray partial = partialGradients.get(part);
      this.gradients = partial.segment();
      this.interaction = interactions.get(part);
      Block input = columns(buffers.dense, buffers.model.denseFeatures());
      int index = 0;
      for (Layer layer : buffers.layout.bottom()) {
        Block output = columns(activations.get(index), layer.out());
        bottom.add(
            layerStep(layer, partial, input, output, index == 0 ? null : scratch(layer.in())));
        input = output;
        index++;
      }
      input = columns(topInput, buffers.layout.top().getFirst().in());
      Block inputGradient = columns(topInputGradient, input.rows());
      for (Layer layer : hiddenLayers().subList(index, activations.size())) {
        Block output = columns(activations.get(index), layer.out());
        top.add(layerStep(layer, partial, input, output, inputGradient));
        input = output;
        inputGradient = scratch(layer.out());
        index++;
      }
      lastInput = input;
      lastInputGradient = inputGradient;
    }

    private LayerStep layerStep(
        Layer layer, FloatArray partial, Block input, Block output, Block inputGradient) {
      return new LayerStep(
          layer.bias(),
          buffers.parameters.block(layer.weights(), layer.out(), layer.in()),
          partial.block(layer.weights(), layer.out(), layer.in()),
          input,
          output,
          scratch(layer.out()),
          inputGradient);
    }

    /** This slice's samples of an array of {@code rows} floats a sample. */
    private Block columns(FloatArray array, int rows) {
      return array.block((long) from * rows, rows, to - from);
    }

    private Block scratch(int rows) {
      return scratch.block((long) from * scratchWidth, rows, to - from);
    }

    void forward() {
      MemorySegment parameters = buffers.parameters.segment();
      for (LayerStep layer : bottom) {
        layer.forward(parameters);
      }
      MemorySegment bottomOutput = bottom.getLast().output().memory();
      for (int sample = from; sample < to; sample++) {
        interaction.forward(sample, bottomOutput, buffers.features.segment(), topInput.segment());
      }
      for (LayerStep layer : top) {
        layer.forward(parameters);
      }
      float bias = parameters.getAtIndex(ValueLayout.JAVA_FLOAT, last.bias());
      for (int sample = from; sample < to; sample++) {
        long start = lastInput.offset() + (long) (sample - from) * last.in();
        float logit =
            bias + Kernels.dot(lastInput.memory(), start, parameters, last.weights(), last.in());
        buffers.logits.segment().setAtIndex(ValueLayout.JAVA_FLOAT, sample, logit);
      }
    }

    void backward() {
      lossSum =
          BinaryCrossEntropy.sum(buffers.logits.segment(), buffers.labels.segment(), from, to);
      lastLayerBackward();
      for (LayerStep layer : top.reversed()) {
        layer.backward();
      }
      int width = buffers.model.interactionWidth();
      Block bottomGradient = bottom.getLast().outputGradient();
      for (int sample = from; sample < to; sample++) {
        interaction.backward(
            sample,
            topInputGradient.segment(),
            (long) sample * width,
            buffers.features.segment(),
            buffers.featureGradients.segment(),
            bottomGradient.memory(),
            bottomGradient.offset() + (long) (sample - from) * buffers.model.dim());
      }
      for (LayerStep layer : bottom.reversed()) {
        layer.backward();
      }
    }

    private void lastLayerBackward() {
      gradients.asSlice(4L * last.weights(), 4L * (last.in() + last.out())).fill((byte) 0);
      float biasGradient = 0;
      for (int sample = from; sample < to; sample++) {
        float label = buffers.labels.segment().getAtIndex(ValueLayout.JAVA_FLOAT, sample);
        float logit = buffers.logits.segment().getAtIndex(ValueLayout.JAVA_FLOAT, sample);
        float gradient = (float) (BinaryCrossEntropy.probability(logit) - label) * gradientScale;
        biasGradient += gradient;
        long offset = (long) (sample - from) * last.in();
        Kernels.addScaled(
            gradients,
            last.weights(),
            gradient,
            lastInput.memory(),
            lastInput.offset() + offset,
            last.in());
        Kernels.scale(
            lastInputGradient.memory(),
            lastInputGradient.offset() + offset,
            gradient,
            buffers.parameters.segment(),
            last.weights(),
            last.in());
      }
      gradients.setAtIndex(ValueLayout.JAVA_FLOAT, last.bias(), biasGradient);
    }
  }
}
