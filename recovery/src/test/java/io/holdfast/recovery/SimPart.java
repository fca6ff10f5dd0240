package io.holdfast.recovery;

/** What a server has of a transaction: its own part, or a piece of a lost server's. */
record SimPart(int owner, int host) {}
