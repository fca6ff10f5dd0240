package io.holdfast.config.fault;

/**
 * What is wrong with the way to a peer.
 *
 * @param cut whether frames are lost
 * @param delayNanos that frames are late, at least
 */
public record LinkFault(boolean cut, long delayNanos) {
  /** Nothing is wrong. */
  public static final LinkFault NONE = new LinkFault(false, 0);
}
