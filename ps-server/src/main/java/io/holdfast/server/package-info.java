/**
 * The parameter server. {@link io.holdfast.server.ServerCore} is the protocol, without I/O; {@link
 * io.holdfast.server.ServerAgent} is the thread that drives it.
 */
package io.holdfast.server;
