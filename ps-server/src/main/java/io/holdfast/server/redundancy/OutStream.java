package io.holdfast.server.redundancy;

import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.Outbox;
import io.holdfast.config.protocol.StreamPosition;
import java.util.ArrayDeque;

/**
 * The stream from this server to one other: items numbered from 1 without gaps, kept until they are
 * acknowledged, and sent again from the first one that is not: when the holder tells a gap, after
 * silence, and in a new epoch. Refused is not consumed (hazard 12): the numbering survives epochs.
 */
final class OutStream {
  /** A gap is told again and again until the first missing item arrives; once is enough. */
  private static final int GAP_RETRY_DIVISOR = 32;

  private final NodeId holder;
  private final Outbox outbox;
  private final long retryNanos;
  private final ArrayDeque<StreamItem> unacknowledged = new ArrayDeque<>();
  private long lastNumber;
  private long acknowledged;
  private long bytes;
  private long sentNanos;
  private long resentNanos;
  private boolean resent;

  /** To be sent again as soon as nothing waits on this side. */
  private boolean mustResend;

  OutStream(NodeId holder, Outbox outbox, long retryNanos) {
    this.holder = holder;
    this.outbox = outbox;
    this.retryNanos = retryNanos;
  }

  /** Takes an item and sends it. Never waits: what a commit makes must be kept (hazard 17). */
  void add(StreamItem item, long stable, long nowNanos) {
    if (unacknowledged.isEmpty()) {
      sentNanos = nowNanos;
    }
    item.number = ++lastNumber;
    item.sinceNanos = nowNanos;
    bytes += item.bytes();
    unacknowledged.add(item);
    send(item, stable);
  }

  private void send(StreamItem item, long stable) {
    // Captures belong to no transaction: when they are sent again, later ones may be stable.
    long told = Math.min(stable, item.ordinal);
    outbox.send(holder, item.message(new StreamPosition(item.number, item.ordinal, told)));
  }

  /**
   * The holder has folded all items up to a number.
   *
   * @param acknowledgements hears of each of them
   */
  void onAck(
      long number, boolean gap, long stable, long nowNanos, Acknowledgements acknowledgements) {
    if (number > lastNumber) {
      throw new IllegalStateException(
          holder + " acknowledges item " + number + ", the last one was " + lastNumber);
    }
    if (number > acknowledged) {
      acknowledged = number;
      sentNanos = nowNanos;
      while (!unacknowledged.isEmpty() && unacknowledged.peek().number <= number) {
        StreamItem item = unacknowledged.remove();
        bytes -= item.bytes();
        acknowledgements.acknowledged(item);
      }
    }
    if (gap && (!resent || nowNanos - resentNanos >= retryNanos / GAP_RETRY_DIVISOR)) {
      resend(stable, nowNanos);
    }
  }

  interface Acknowledgements {
    void acknowledged(StreamItem item);
  }

  /** The holder was in another epoch: try again soon. */
  void onRefused(long nowNanos) {
    sentNanos = Math.min(sentNanos, nowNanos - retryNanos + retryNanos / GAP_RETRY_DIVISOR);
  }

  /** Sends again what was not acknowledged for long. */
  void tick(long stable, long nowNanos) {
    if (unacknowledged.isEmpty()) {
      mustResend = false;
    } else if (mustResend || nowNanos - sentNanos >= retryNanos) {
      resend(stable, nowNanos);
    }
  }

  /**
   * Sends again all that is not acknowledged. While the link takes nothing, what was sent before
   * waits on this side: a holder that stands still for a minute must not find a copy of the window
   * for every second of it, and neither must this server's memory.
   */
  void resend(long stable, long nowNanos) {
    mustResend = outbox.isCongested(holder);
    if (mustResend) {
      return;
    }
    sentNanos = nowNanos;
    resentNanos = nowNanos;
    resent = true;
    for (StreamItem item : unacknowledged) {
      send(item, stable);
    }
  }

  /** The holder is lost: nobody waits for it any more. */
  void drop(Acknowledgements acknowledgements) {
    while (!unacknowledged.isEmpty()) {
      StreamItem item = unacknowledged.remove();
      bytes -= item.bytes();
      acknowledgements.acknowledged(item);
    }
    acknowledged = lastNumber;
  }

  long unacknowledgedBytes() {
    return bytes;
  }

  int unacknowledgedItems() {
    return unacknowledged.size();
  }

  /** How long the oldest item waits to be acknowledged; 0 if none does. */
  long oldestNanos(long nowNanos) {
    return unacknowledged.isEmpty() ? 0 : nowNanos - unacknowledged.peek().sinceNanos;
  }

  void close() {
    unacknowledged.forEach(StreamItem::release);
    unacknowledged.clear();
  }
}
