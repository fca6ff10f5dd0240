package io.holdfast.worker.dense;

import io.holdfast.config.model.Interaction;
import java.lang.foreign.MemorySegment;

/**
 * Forward and backward of the interaction for one sample at a time. Holds scratch memory: one
 * object for each thread.
 */
final class FeatureInteraction {
  private final Interaction kind;
  private final int slots;
  private final int dim;
  private final int width;
  private final DotInteraction dots;

  FeatureInteraction(Interaction kind, int slots, int dim) {
    this.kind = kind;
    this.slots = slots;
    this.dim = dim;
    this.width = kind.width(slots - 1, dim);
    this.dots = kind == Interaction.DOT ? new DotInteraction(slots, dim) : null;
  }

  /**
   * Makes the top MLP's input.
   *
   * @param bottom the bottom MLP's output, {@code [samples][dim]}
   * @param features {@code [samples][slots][dim]}; slot 0 receives the bottom MLP's output
   * @param top receives the result, {@code [samples][width]}; for {@link Interaction#CAT} it is
   *     {@code features}
   */
  void forward(long sample, MemorySegment bottom, MemorySegment features, MemorySegment top) {
    long bottomStart = sample * dim;
    long start = sample * slots * dim;
    long topStart = sample * width;
    Kernels.copy(bottom, bottomStart, features, start, dim);
    switch (kind) {
      case DOT -> {
        Kernels.copy(bottom, bottomStart, top, topStart, dim);
        dots.forward(features, start, top, topStart + dim);
      }
      case CAT -> {}
      case SUM -> {
        Kernels.copy(bottom, bottomStart, top, topStart, dim);
        Kernels.copy(features, start + dim, top, topStart + dim, dim);
        for (int slot = 2; slot < slots; slot++) {
          Kernels.add(top, topStart + dim, features, start + (long) slot * dim, dim);
        }
      }
    }
  }

  /**
   * The gradients of what {@link #forward} read.
   *
   * @param topGradient of the top MLP's input, column after column of {@code width} floats
   * @param topStart where this sample's column starts
   * @param features as {@link #forward} left it
   * @param featureGradients receives slots 1 on; for {@link Interaction#CAT} it is {@code
   *     topGradient}
   * @param bottomGradient receives the gradient of the bottom MLP's output from {@code bottomStart}
   *     on
   */
  void backward(
      long sample,
      MemorySegment topGradient,
      long topStart,
      MemorySegment features,
      MemorySegment featureGradients,
      MemorySegment bottomGradient,
      long bottomStart) {
    long start = sample * slots * dim;
    Kernels.copy(topGradient, topStart, bottomGradient, bottomStart, dim);
    switch (kind) {
      case DOT -> {
        dots.backward(features, start, topGradient, topStart + dim, featureGradients);
        Kernels.add(bottomGradient, bottomStart, featureGradients, start, dim);
      }
      case CAT -> {}
      case SUM -> {
        for (int slot = 1; slot < slots; slot++) {
          Kernels.copy(
              topGradient, topStart + dim, featureGradients, start + (long) slot * dim, dim);
        }
      }
    }
  }
}
