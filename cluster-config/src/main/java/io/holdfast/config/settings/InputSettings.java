package io.holdfast.config.settings;

import java.util.List;
import java.util.Optional;

/**
 * What is read and what is scored. Paths are as the user wrote them, globs included.
 *
 * @param paths to train on
 * @param evalPaths to score; empty: the end of {@code paths} is held out
 * @param holdout part of {@code paths} that is held out if {@code evalPaths} is empty, 0 to 0.9
 * @param hashIds true: categories are hashed into a table's rows; false: modulo
 * @param badLineLimit bad lines that may be left out; 0: the first one fails the job
 * @param splitBytes stretch of uncompressed input that a worker asks for
 * @param cache preprocessed form of {@code paths}
 */
public record InputSettings(
    List<String> paths,
    List<String> evalPaths,
    double holdout,
    boolean hashIds,
    long badLineLimit,
    long splitBytes,
    Optional<String> cache) {}
