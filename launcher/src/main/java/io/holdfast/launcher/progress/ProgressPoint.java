package io.holdfast.launcher.progress;

/**
 * Where an activity stands.
 *
 * @param activity what goes on: {@code training}
 * @param done units done
 * @param total units in all; 0: not known
 * @param unit what is counted: {@code samples}
 * @param loss recent mean log loss; NaN: none
 * @param auc recent streaming estimate; NaN: none
 */
public record ProgressPoint(
    String activity, long done, long total, String unit, double loss, double auc) {}
