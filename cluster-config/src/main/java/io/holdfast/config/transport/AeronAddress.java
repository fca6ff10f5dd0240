package io.holdfast.config.transport;

/** The stream that a node reads. */
record AeronAddress(String channel, int streamId) {}
