package io.holdfast.worker.dense;

import io.holdfast.config.model.Interaction;
import java.util.Objects;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.memory.LayerMemoryReport;
import org.deeplearning4j.nn.conf.memory.MemoryReport;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.BaseGraphVertex;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * The interaction as a vertex of DL4J's graph, in ND4J operations. Its input is the bottom MLP's
 * output {@code [batch, dim]}. Features and their gradient are the engine's buffers and no input of
 * the graph, for DL4J computes no gradient of an input.
 */
final class InteractionVertex extends GraphVertex {
  private static final long serialVersionUID = 1L;

  private final transient Shape shape;

  /**
   * @param selection {@code [slots * slots, pairs]}, one 1 in each column: picks the pairs from a
   *     flattened {@code T T'}; null if not {@link Interaction#DOT}
   */
  private record Shape(EngineBuffers buffers, INDArray selection) {
    Interaction kind() {
      return buffers.model.interaction();
    }

    int slots() {
      return buffers.slots;
    }

    int dim() {
      return buffers.model.dim();
    }

    /** {@code T[batch][slots][dim]}, of the features or of their gradients. */
    INDArray vectors(FloatArray array, long batch) {
      long[] shape = {batch, slots(), dim()};
      return array.view(0, shape, new long[] {(long) slots() * dim(), dim(), 1});
    }

    /** {@code [batch][dim]}: one slot of {@link #vectors}. */
    INDArray slot(FloatArray array, long batch, int slot) {
      long[] shape = {batch, dim()};
      return array.view((long) slot * dim(), shape, new long[] {(long) slots() * dim(), 1});
    }
  }

  private InteractionVertex(Shape shape) {
    this.shape = shape;
  }

  static InteractionVertex of(EngineBuffers buffers) {
    int slots = buffers.slots;
    INDArray selection = null;
    if (buffers.model.interaction() == Interaction.DOT) {
      selection = Nd4j.zeros(DataType.FLOAT, (long) slots * slots, (long) slots * (slots - 1) / 2);
      int pair = 0;
      for (int i = 1; i < slots; i++) {
        for (int j = 0; j < i; j++) {
          selection.putScalar((long) i * slots + j, pair++, 1f);
        }
      }
    }
    return new InteractionVertex(new Shape(buffers, selection));
  }

  @Override
  public InteractionVertex clone() {
    return new InteractionVertex(shape);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof InteractionVertex vertex && Objects.equals(vertex.shape, shape);
  }

  @Override
  public int hashCode() {
    return Objects.hashCode(shape);
  }

  @Override
  public long numParams(boolean backprop) {
    return 0;
  }

  @Override
  public int minVertexInputs() {
    return 1;
  }

  @Override
  public int maxVertexInputs() {
    return 1;
  }

  @Override
  public org.deeplearning4j.nn.graph.vertex.GraphVertex instantiate(
      ComputationGraph graph,
      String name,
      int index,
      INDArray parameters,
      boolean initialize,
      DataType type) {
    return new Worker(graph, name, index, type, shape);
  }

  @Override
  public InputType getOutputType(int layerIndex, InputType... inputs) {
    return InputType.feedForward(shape.buffers.model.interactionWidth());
  }

  @Override
  public MemoryReport getMemoryReport(InputType... inputs) {
    InputType output = getOutputType(-1, inputs);
    return new LayerMemoryReport.Builder("interaction", InteractionVertex.class, inputs[0], output)
        .build();
  }

  /** What computes. */
  @SuppressWarnings("overrides") // of DL4J's base class
  private static final class Worker extends BaseGraphVertex {
    private static final long serialVersionUID = 1L;

    private final transient Shape shape;

    Worker(ComputationGraph graph, String name, int index, DataType type, Shape shape) {
      super(graph, name, index, null, null, type);
      this.shape = shape;
    }

    private static INDArray columns(INDArray matrix, long from, long to) {
      return matrix.get(NDArrayIndex.all(), NDArrayIndex.interval(from, to));
    }

    @Override
    public INDArray doForward(boolean training, LayerWorkspaceMgr workspaces) {
      INDArray bottom = inputs[0];
      long batch = bottom.size(0);
      int dim = shape.dim();
      int slots = shape.slots();
      FloatArray features = shape.buffers.features;
      shape.slot(features, batch, 0).assign(bottom);
      int width = shape.buffers.model.interactionWidth();
      INDArray top = workspaces.create(ArrayType.ACTIVATIONS, DataType.FLOAT, batch, width);
      switch (shape.kind()) {
        case CAT -> top.assign(features.rowMajor(batch, width));
        case SUM -> {
          columns(top, 0, dim).assign(bottom);
          INDArray sum = columns(top, dim, width);
          sum.assign(shape.slot(features, batch, 1));
          for (int slot = 2; slot < slots; slot++) {
            sum.addi(shape.slot(features, batch, slot));
          }
        }
        case DOT -> {
          columns(top, 0, dim).assign(bottom);
          INDArray vectors = shape.vectors(features, batch);
          INDArray products = Nd4j.create(DataType.FLOAT, batch, slots, slots);
          Nd4j.matmul(vectors, vectors, products, false, true, false);
          INDArray flat = products.reshape('c', batch, (long) slots * slots);
          columns(top, dim, width).assign(flat.mmul(shape.selection));
        }
      }
      return top;
    }

    @Override
    public Pair<Gradient, INDArray[]> doBackward(boolean tbptt, LayerWorkspaceMgr workspaces) {
      long batch = epsilon.size(0);
      int dim = shape.dim();
      int slots = shape.slots();
      int width = shape.buffers.model.interactionWidth();
      FloatArray featureGradients = shape.buffers.featureGradients;
      INDArray bottom = workspaces.create(ArrayType.ACTIVATION_GRAD, DataType.FLOAT, batch, dim);
      bottom.assign(columns(epsilon, 0, dim));
      switch (shape.kind()) {
        case CAT -> featureGradients.rowMajor(batch, width).assign(epsilon);
        case SUM -> {
          for (int slot = 1; slot < slots; slot++) {
            shape.slot(featureGradients, batch, slot).assign(columns(epsilon, dim, width));
          }
        }
        case DOT -> {
          INDArray flat = columns(epsilon, dim, width).mmul(shape.selection.transpose());
          INDArray products = flat.dup('c').reshape('c', batch, slots, slots);
          INDArray symmetric = products.add(products.permute(0, 2, 1)).dup('c');
          Nd4j.matmul(
              symmetric,
              shape.vectors(shape.buffers.features, batch),
              shape.vectors(featureGradients, batch),
              false,
              false,
              false);
          bottom.addi(shape.slot(featureGradients, batch, 0));
        }
      }
      return new Pair<>(null, new INDArray[] {bottom});
    }

    @Override
    public boolean hasLayer() {
      return false;
    }

    @Override
    public Layer getLayer() {
      return null;
    }

    @Override
    public void setBackpropGradientsViewArray(INDArray gradients) {
      if (gradients != null) {
        throw new IllegalArgumentException("the interaction has no parameters");
      }
    }

    @Override
    public Pair<INDArray, MaskState> feedForwardMaskArrays(
        INDArray[] masks, MaskState state, int batch) {
      return null;
    }

    @Override
    public String toString() {
      return "interaction " + shape.kind();
    }
  }
}
