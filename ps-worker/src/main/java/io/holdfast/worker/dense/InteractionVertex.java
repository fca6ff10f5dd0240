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
 * The interaction as a vertex of DL4J's graph, in ND4J operations. Inputs are the bottom MLP's
 * output {@code [batch, dim]} and the features {@code [batch, slots * dim]}; the embeddings'
 * gradient goes into a buffer, because to DL4J the features are an input that has none.
 */
final class InteractionVertex extends GraphVertex {
  private static final long serialVersionUID = 1L;

  private final transient Shape shape;

  /**
   * @param selection {@code [slots * slots, pairs]}, one 1 in each column: picks the pairs from a
   *     flattened {@code T T'}; null if not {@link Interaction#DOT}
   * @param featureGradients receives the embeddings' gradient
   */
  private record Shape(
      Interaction kind, int slots, int dim, INDArray selection, FloatArray featureGradients) {}

  private InteractionVertex(Shape shape) {
    this.shape = shape;
  }

  static InteractionVertex of(Interaction kind, int slots, int dim, FloatArray featureGradients) {
    INDArray selection = null;
    if (kind == Interaction.DOT) {
      selection = Nd4j.zeros(DataType.FLOAT, (long) slots * slots, (long) slots * (slots - 1) / 2);
      int pair = 0;
      for (int i = 1; i < slots; i++) {
        for (int j = 0; j < i; j++) {
          selection.putScalar((long) i * slots + j, pair++, 1f);
        }
      }
    }
    return new InteractionVertex(new Shape(kind, slots, dim, selection, featureGradients));
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
    return 2;
  }

  @Override
  public int maxVertexInputs() {
    return 2;
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
    return InputType.feedForward(shape.kind.width(shape.slots - 1, shape.dim));
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

    /** The features as {@code T[batch][slots][dim]}; slot 0 is filled here. */
    private INDArray vectors() {
      return inputs[1].reshape('c', inputs[1].size(0), shape.slots, shape.dim);
    }

    private static INDArray columns(INDArray matrix, long from, long to) {
      return matrix.get(NDArrayIndex.all(), NDArrayIndex.interval(from, to));
    }

    private static INDArray slot(INDArray vectors, int slot) {
      return vectors.get(NDArrayIndex.all(), NDArrayIndex.point(slot), NDArrayIndex.all());
    }

    @Override
    public INDArray doForward(boolean training, LayerWorkspaceMgr workspaces) {
      INDArray bottom = inputs[0];
      long batch = bottom.size(0);
      int dim = shape.dim;
      int slots = shape.slots;
      INDArray vectors = vectors();
      slot(vectors, 0).assign(bottom);
      if (shape.kind == Interaction.CAT) {
        return workspaces.dup(ArrayType.ACTIVATIONS, inputs[1]);
      }
      int width = shape.kind.width(slots - 1, dim);
      INDArray top = workspaces.create(ArrayType.ACTIVATIONS, DataType.FLOAT, batch, width);
      columns(top, 0, dim).assign(bottom);
      if (shape.kind == Interaction.SUM) {
        columns(top, dim, 2L * dim).assign(vectors.sum(1).subi(bottom));
        return top;
      }
      INDArray products = Nd4j.create(DataType.FLOAT, batch, slots, slots);
      Nd4j.matmul(vectors, vectors, products, false, true, false);
      INDArray flat = products.reshape('c', batch, (long) slots * slots);
      columns(top, dim, width).assign(flat.mmul(shape.selection));
      return top;
    }

    @Override
    public Pair<Gradient, INDArray[]> doBackward(boolean tbptt, LayerWorkspaceMgr workspaces) {
      long batch = epsilon.size(0);
      int dim = shape.dim;
      int slots = shape.slots;
      INDArray vectorGradients =
          shape
              .featureGradients
              .rowMajor(batch, (long) slots * dim)
              .reshape('c', batch, slots, dim);
      INDArray bottomGradient =
          workspaces.create(ArrayType.ACTIVATION_GRAD, DataType.FLOAT, batch, dim);
      bottomGradient.assign(columns(epsilon, 0, dim));
      switch (shape.kind) {
        case CAT -> vectorGradients.assign(epsilon.reshape('c', batch, slots, dim));
        case SUM -> {
          for (int slot = 1; slot < slots; slot++) {
            slot(vectorGradients, slot).assign(columns(epsilon, dim, 2L * dim));
          }
        }
        case DOT -> {
          INDArray flat = columns(epsilon, dim, epsilon.size(1)).mmul(shape.selection.transpose());
          INDArray products = flat.dup('c').reshape('c', batch, slots, slots);
          INDArray symmetric = products.add(products.permute(0, 2, 1)).dup('c');
          Nd4j.matmul(symmetric, vectors(), vectorGradients, false, false, false);
          bottomGradient.addi(slot(vectorGradients, 0));
        }
      }
      INDArray unused = workspaces.create(ArrayType.ACTIVATION_GRAD, DataType.FLOAT, 1, 1);
      return new Pair<>(null, new INDArray[] {bottomGradient, unused});
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
      return "interaction " + shape.kind;
    }
  }
}
