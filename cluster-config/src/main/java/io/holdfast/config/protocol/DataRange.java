package io.holdfast.config.protocol;

/**
 * The stretch of training data that a transaction learned from. Committed with the transaction, so
 * that every example is trained exactly once per pass.
 *
 * @param pass over the data, from 0
 * @param file index of the file in the source
 * @param from position of the first line (the source's unit: bytes or rows)
 * @param to position behind the last line
 * @param samples lines that were trained
 * @param skipped bad lines that were skipped
 */
public record DataRange(int pass, int file, long from, long to, int samples, int skipped) {}
