package io.holdfast.criteo;

/**
 * Up to {@code capacity} samples in arrays that are reused from batch to batch.
 *
 * <p>The arrays are handed out as they are, without a copy; entries beyond {@link #size} are stale.
 */
public final class CriteoBatch {
  private final int capacity;
  private final float[] labels;
  private final float[] dense;
  private final int[] ids;
  private int size;

  /**
   * An empty batch.
   *
   * @param capacity most samples that it holds, at least 1
   */
  public CriteoBatch(int capacity) {
    if (capacity < 1 || capacity > Integer.MAX_VALUE / CriteoFormat.CATEGORIES - 1) {
      throw new IllegalArgumentException("batch capacity is " + capacity + ", must be at least 1");
    }
    this.capacity = capacity;
    labels = new float[capacity];
    dense = new float[capacity * CriteoFormat.INTEGERS];
    ids = new int[capacity * CriteoFormat.CATEGORIES];
  }

  /** Most samples that the batch holds. */
  public int capacity() {
    return capacity;
  }

  /** Number of samples in the batch. */
  public int size() {
    return size;
  }

  /** Says how many samples the arrays hold now. */
  public void size(int samples) {
    if (samples < 0 || samples > capacity) {
      throw new IllegalArgumentException(samples + " samples in a batch of " + capacity);
    }
    size = samples;
  }

  /** Labels, 0 or 1: [capacity]. */
  public float[] labels() {
    return labels;
  }

  /** log(1+x) of the integers, 0 for missing and negative ones: [capacity][13], row major. */
  public float[] dense() {
    return dense;
  }

  /** Row ids within each column's table: [capacity][26], row major. */
  public int[] ids() {
    return ids;
  }
}
