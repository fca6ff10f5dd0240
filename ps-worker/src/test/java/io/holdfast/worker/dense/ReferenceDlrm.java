package io.holdfast.worker.dense;

import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.NnLayout;
import io.holdfast.config.model.NnLayout.Layer;
import java.util.ArrayList;
import java.util.List;

/**
 * The loss of a DLRM in double precision, written as plainly as can be, and its gradients by
 * central differences. Arrays are laid out as {@link DenseEngine}'s buffers.
 */
final class ReferenceDlrm {
  private final ModelSpec model;
  private final NnLayout layout;

  ReferenceDlrm(ModelSpec model) {
    this.model = model;
    this.layout = NnLayout.of(model);
  }

  /** Mean binary cross entropy. */
  double loss(double[] parameters, double[] dense, double[] features, double[] labels) {
    double sum = 0;
    for (int sample = 0; sample < labels.length; sample++) {
      double p = probability(parameters, dense, features, sample);
      sum -= labels[sample] * Math.log(p) + (1 - labels[sample]) * Math.log(1 - p);
    }
    return sum / labels.length;
  }

  double probability(double[] parameters, double[] dense, double[] features, int sample) {
    double[] x = new double[model.denseFeatures()];
    System.arraycopy(dense, sample * x.length, x, 0, x.length);
    for (Layer layer : layout.bottom()) {
      x = relu(affine(layer, parameters, x));
    }
    x = interact(x, features, sample);
    List<Layer> top = layout.top();
    for (Layer layer : top.subList(0, top.size() - 1)) {
      x = relu(affine(layer, parameters, x));
    }
    return 1 / (1 + Math.exp(-affine(top.getLast(), parameters, x)[0]));
  }

  private static double[] affine(Layer layer, double[] parameters, double[] x) {
    double[] y = new double[layer.out()];
    for (int row = 0; row < layer.out(); row++) {
      y[row] = parameters[layer.bias() + row];
      for (int column = 0; column < layer.in(); column++) {
        y[row] += parameters[layer.weights() + column * layer.out() + row] * x[column];
      }
    }
    return y;
  }

  private static double[] relu(double[] x) {
    for (int i = 0; i < x.length; i++) {
      x[i] = Math.max(x[i], 0);
    }
    return x;
  }

  private double[] interact(double[] bottom, double[] features, int sample) {
    int dim = model.dim();
    int slots = model.tables().size() + 1;
    List<double[]> vectors = new ArrayList<>();
    vectors.add(bottom);
    for (int slot = 1; slot < slots; slot++) {
      double[] vector = new double[dim];
      System.arraycopy(features, (sample * slots + slot) * dim, vector, 0, dim);
      vectors.add(vector);
    }
    double[] result = new double[model.interactionWidth()];
    System.arraycopy(bottom, 0, result, 0, dim);
    int at = dim;
    switch (model.interaction()) {
      case DOT -> {
        for (int i = 0; i < slots; i++) {
          for (int j = 0; j < i; j++) {
            for (int d = 0; d < dim; d++) {
              result[at] += vectors.get(i)[d] * vectors.get(j)[d];
            }
            at++;
          }
        }
      }
      case CAT -> {
        for (int slot = 1; slot < slots; slot++) {
          System.arraycopy(vectors.get(slot), 0, result, slot * dim, dim);
        }
      }
      case SUM -> {
        for (int slot = 1; slot < slots; slot++) {
          for (int d = 0; d < dim; d++) {
            result[dim + d] += vectors.get(slot)[d];
          }
        }
      }
    }
    return result;
  }

  /** Which of {@link #loss}'s arguments to differentiate by. */
  enum By {
    PARAMETERS,
    FEATURES
  }

  /** One element of the gradient of the mean loss. */
  double gradient(
      By by, int index, double[] parameters, double[] dense, double[] features, double[] labels) {
    double[] moved = by == By.PARAMETERS ? parameters : features;
    double saved = moved[index];
    double step = 1e-6;
    moved[index] = saved + step;
    double above = loss(parameters, dense, features, labels);
    moved[index] = saved - step;
    double below = loss(parameters, dense, features, labels);
    moved[index] = saved;
    return (above - below) / (2 * step);
  }
}
