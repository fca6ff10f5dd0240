package io.holdfast.config.transport;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.Publication;
import io.aeron.exceptions.RegistrationException;
import java.util.concurrent.TimeUnit;
import org.agrona.CloseHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The way from one node to one peer. Opened by the first frame, without blocking the sender. */
final class AeronPeer {
  private static final Logger LOG = LoggerFactory.getLogger(AeronPeer.class);

  /** Time for the peer to read an exhausted stream before a new one could overtake it. */
  private static final long REOPEN_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final Aeron client;
  private final AeronAddress address;
  private final long connectNanos;
  private long registration = Aeron.NULL_VALUE;
  private ExclusivePublication publication;
  private long firstFrameNanos;
  private long notBeforeNanos;
  private boolean started;
  private boolean reached;
  private boolean unusable;

  AeronPeer(Aeron client, AeronAddress address, long connectNanos) {
    this.client = client;
    this.address = address;
    this.connectNanos = connectNanos;
  }

  AeronAddress address() {
    return address;
  }

  /** What became of a frame. */
  enum Outcome {
    /** On its way. */
    SENT,
    /** Not now. */
    LATER,
    /** Never: the peer is gone, or never came. */
    DROP
  }

  Outcome offer(Frame frame, long nowNanos) {
    if (unusable) {
      return Outcome.DROP;
    }
    if (!started) {
      started = true;
      firstFrameNanos = nowNanos;
    }
    if (publication == null && !open(nowNanos)) {
      return unusable ? Outcome.DROP : Outcome.LATER;
    }
    long result = publication.offer(frame.buffer(), 0, frame.lengthBytes());
    if (result == Publication.ADMIN_ACTION) { // The log turned to its next term.
      result = publication.offer(frame.buffer(), 0, frame.lengthBytes());
    }
    if (result > 0) {
      reached = true;
      return Outcome.SENT;
    }
    if (result == Publication.BACK_PRESSURED || result == Publication.ADMIN_ACTION) {
      reached = true;
      return Outcome.LATER;
    }
    if (result == Publication.NOT_CONNECTED) {
      boolean mayStillCome = !reached && nowNanos - firstFrameNanos < connectNanos;
      return mayStillCome ? Outcome.LATER : Outcome.DROP;
    }
    // The stream reached its last position, or Aeron closed it: go on with another one.
    close();
    notBeforeNanos = nowNanos + REOPEN_NANOS;
    return Outcome.LATER;
  }

  private boolean open(long nowNanos) {
    if (registration == Aeron.NULL_VALUE) {
      if (notBeforeNanos != 0 && nowNanos - notBeforeNanos < 0) {
        return false;
      }
      registration = client.asyncAddExclusivePublication(address.channel(), address.streamId());
    }
    try {
      publication = client.getExclusivePublication(registration);
    } catch (RegistrationException e) {
      unusable = true;
      registration = Aeron.NULL_VALUE;
      LOG.error("Cannot send to {}: {}", address, e.getMessage());
    }
    return publication != null;
  }

  /** Gives up the stream. */
  void close() {
    if (publication != null) {
      CloseHelper.quietClose(publication);
    } else if (registration != Aeron.NULL_VALUE && !client.isClosed()) {
      client.asyncRemovePublication(registration);
    }
    publication = null;
    registration = Aeron.NULL_VALUE;
  }
}
