package io.holdfast.config.protocol;

/**
 * Where an item stands in the stream from one server to another.
 *
 * @param number in this stream, from 1 without gaps; survives epochs
 * @param ordinal how many transactions the origin had applied when it made the item, that of the
 *     item included: comparable between the streams of one origin
 * @param stable what belongs to ordinals up to this one is acknowledged by all its holders
 */
public record StreamPosition(long number, long ordinal, long stable) {}
