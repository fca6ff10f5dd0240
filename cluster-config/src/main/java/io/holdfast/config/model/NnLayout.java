package io.holdfast.config.model;

import java.util.ArrayList;
import java.util.List;

/**
 * Where the NN's parameters lie in one flat vector of floats: for the bottom MLP's layers, then the
 * top MLP's, {@code weights | bias}. Weights are {@code [out, in]} in column-major ("f") order, so
 * that a layer is {@code out = W * in} on column-major {@code [features, batch]} matrices without a
 * copy.
 */
public final class NnLayout {

  /**
   * One fully connected layer.
   *
   * @param name for messages, for instance {@code bottom.0}
   * @param in input width
   * @param out output width
   * @param weights index of the first weight in the flat vector
   * @param bias index of the first bias in the flat vector
   */
  public record Layer(String name, int in, int out, int weights, int bias) {}

  private final List<Layer> bottom;
  private final List<Layer> top;
  private final int parameters;

  private NnLayout(List<Layer> bottom, List<Layer> top, int parameters) {
    this.bottom = List.copyOf(bottom);
    this.top = List.copyOf(top);
    this.parameters = parameters;
  }

  /** The layout of a model's NN. */
  public static NnLayout of(ModelSpec model) {
    List<Layer> bottom = new ArrayList<>();
    int next = 0;
    for (int i = 0; i + 1 < model.bottom().size(); i++) {
      next = add(bottom, "bottom." + i, model.bottom().get(i), model.bottom().get(i + 1), next);
    }
    List<Layer> top = new ArrayList<>();
    int width = model.interactionWidth();
    for (int i = 0; i < model.top().size(); i++) {
      next = add(top, "top." + i, width, model.top().get(i), next);
      width = model.top().get(i);
    }
    return new NnLayout(bottom, top, next);
  }

  private static int add(List<Layer> layers, String name, int in, int out, int next) {
    int bias = Math.addExact(next, Math.multiplyExact(in, out));
    layers.add(new Layer(name, in, out, next, bias));
    return Math.addExact(bias, out);
  }

  public List<Layer> bottom() {
    return bottom;
  }

  public List<Layer> top() {
    return top;
  }

  /** Number of floats of the flat vector. */
  public int parameters() {
    return parameters;
  }

  /** The layer tensor that a parameter belongs to, for error messages: {@code top.1.weights}. */
  public String nameOf(int parameter) {
    for (List<Layer> layers : List.of(bottom, top)) {
      for (Layer layer : layers) {
        if (parameter < layer.bias()) {
          return layer.name() + ".weights";
        }
        if (parameter < layer.bias() + layer.out()) {
          return layer.name() + ".bias";
        }
      }
    }
    throw new IndexOutOfBoundsException(parameter + " of " + parameters + " parameters");
  }
}
