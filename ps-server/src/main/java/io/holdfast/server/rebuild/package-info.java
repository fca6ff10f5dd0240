/**
 * A process takes a lost server's place: every other server's {@link
 * io.holdfast.server.rebuild.Transfer} gives it what it is to have, and its {@link
 * io.holdfast.server.rebuild.Takeover} takes it, while training goes on.
 */
package io.holdfast.server.rebuild;
