package io.holdfast.recovery;

/**
 * What was trained, everything counted once.
 *
 * @param samples good lines
 * @param iterations transactions, repeated ones too
 * @param skipped bad lines
 * @param repeated transactions of which no record was left when their worker and a server had died
 *     together; their data was trained again and is counted once, where it was recorded
 */
public record DataTotals(long samples, long iterations, long skipped, long repeated) {}
