package io.holdfast.recovery;

/**
 * What was trained, everything counted once.
 *
 * @param samples good lines
 * @param iterations transactions
 * @param skipped bad lines
 */
public record DataTotals(long samples, long iterations, long skipped) {}
