package io.holdfast.config.settings;

import io.holdfast.config.transport.AeronSettings;
import io.holdfast.config.transport.ChannelKind;
import java.util.Optional;

/**
 * How this process's data links are opened.
 *
 * @param link what was asked for; empty: the nearest that reaches all processes, see {@link
 *     #linkOr}
 * @param externalDriver true: a media driver runs already in {@code aeronDir}
 * @param aeronDir directory of the media driver; empty: one of the run's own
 * @param port UDP port of this process's link; 0: any free one
 * @param termBytes term buffer of a stream, a power of two
 * @param mtuBytes longest datagram, a multiple of 32
 * @param windowBytes how far a sender may be ahead of its receiver; also the socket buffers' size
 */
public record TransportSettings(
    Optional<LinkKind> link,
    boolean externalDriver,
    Optional<String> aeronDir,
    int port,
    int termBytes,
    int mtuBytes,
    int windowBytes) {

  /** The link that was asked for, or the one that suits where the processes are. */
  public LinkKind linkOr(LinkKind suitable) {
    return link.orElse(suitable);
  }

  /**
   * Settings of Aeron's links.
   *
   * @param link IPC or UDP
   * @param host under which the other processes reach this one
   * @throws IllegalArgumentException for links inside one process, which need no Aeron
   */
  public AeronSettings aeron(LinkKind link, String host) {
    if (link == LinkKind.MEMORY) {
      throw new IllegalArgumentException("links inside one process need no Aeron");
    }
    AeronSettings times = AeronSettings.ipc();
    return new AeronSettings(
        aeronDir.orElse(""),
        !externalDriver,
        link == LinkKind.IPC ? ChannelKind.IPC : ChannelKind.UDP,
        host,
        port,
        termBytes,
        mtuBytes,
        windowBytes,
        windowBytes,
        times.livenessNanos(),
        times.connectNanos(),
        times.maxParkNanos());
  }
}
