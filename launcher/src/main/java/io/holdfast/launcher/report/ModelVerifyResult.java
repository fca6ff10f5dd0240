package io.holdfast.launcher.report;

import java.util.Optional;

/**
 * What reading a saved model to its end came to.
 *
 * @param directory of the model
 * @param seconds that it took
 * @param rows that the model has
 * @param bytes of its files
 * @param modelDigest that its manifest tells
 * @param problem what is wrong with it first; empty: nothing
 */
public record ModelVerifyResult(
    String directory,
    double seconds,
    long rows,
    long bytes,
    String modelDigest,
    Optional<String> problem) {}
