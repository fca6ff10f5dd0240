/**
 * The data link: moves frames between nodes. An interface, its in-memory form, its Aeron form, and
 * the endpoint that turns messages into stamped frames and checks those that arrive.
 */
package io.holdfast.config.transport;
