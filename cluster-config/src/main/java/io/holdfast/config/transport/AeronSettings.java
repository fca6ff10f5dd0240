package io.holdfast.config.transport;

import java.util.concurrent.TimeUnit;

/**
 * How {@link AeronLinks} uses Aeron.
 *
 * <p><b>Shared memory.</b> A node has one log for each peer that it sends to. A log is three terms:
 * {@code 3 * termBytes} and one page. It lives under {@code directory} ({@code /dev/shm}) and is
 * allocated in full when it is created, so that too little space is an error then and not a crash
 * later. A frame is at most an eighth of a term. A driver's own files take 10 MiB, of which little
 * is ever touched. With the default terms of 2 MiB a log is 6 MiB:
 *
 * <ul>
 *   <li>IPC, 5 servers and 2 workers of one host: each worker and each server exchange frames both
 *       ways, {@code 2 * 5 * 2 = 20} logs, 120 MiB. With redundancy servers also send to each
 *       other, {@code 5 * 4 = 20} more, together 240 MiB.
 *   <li>UDP: the receiver keeps a log of its own for each sender. A server that exchanges frames
 *       with 4 other servers and 2 workers has 12 logs, 72 MiB of its host.
 *   <li>UDP, 200 servers that all send to each other: about 400 logs at each, 2.4 GiB of its host;
 *       with terms of 256 KiB (frames up to 32 KiB) 310 MiB.
 * </ul>
 *
 * @param directory of the media driver; empty: a fresh one in {@code /dev/shm}, embedded only
 * @param embeddedDriver true: this process runs the media driver; false: it uses the one that runs
 *     in {@code directory}
 * @param channel how frames move
 * @param bindHost UDP: address of this host that peers reach, a name or a number; no wildcard
 * @param port UDP: port of this process; 0: any free one
 * @param termBytes length of a term, a power of two from 64 KiB to 128 MiB
 * @param mtuBytes UDP: longest datagram's payload, a multiple of 32 from 1,024 to 65,504. Large
 *     ones are fast on networks that carry them whole (loopback, jumbo frames of 9,000 bytes)
 * @param socketBufferBytes UDP: send and receive buffer of a socket. What the system grants is
 *     limited by {@code net.core.rmem_max} and {@code net.core.wmem_max}
 * @param windowBytes UDP: bytes in flight from one sender; at most half a term and at most the
 *     receive buffer
 * @param livenessNanos silence after which the driver gives up a process, and a process the driver.
 *     Longer than any pause of a garbage collector
 * @param connectNanos how long frames wait for a peer that was never reached before they are
 *     dropped
 * @param maxParkNanos longest wait of an idle link that polls
 */
public record AeronSettings(
    String directory,
    boolean embeddedDriver,
    ChannelKind channel,
    String bindHost,
    int port,
    int termBytes,
    int mtuBytes,
    int socketBufferBytes,
    int windowBytes,
    long livenessNanos,
    long connectNanos,
    long maxParkNanos) {

  private static final int MIN_TERM_BYTES = 64 << 10;
  private static final int MAX_TERM_BYTES = 128 << 20;
  private static final int DEFAULT_TERM_BYTES = 2 << 20;
  private static final int DEFAULT_UDP_MTU_BYTES = 8192;
  private static final int DEFAULT_SOCKET_BUFFER_BYTES = 2 << 20;
  private static final int FRAMES_PER_TERM = 8;
  private static final int TERMS_PER_LOG = 3;
  private static final int PAGE_BYTES = 4096;
  private static final long DRIVER_FILES_BYTES = 10L << 20;

  public AeronSettings {
    if (directory.isEmpty() && !embeddedDriver) {
      throw invalid("directory", "''", "the directory of the media driver to use");
    }
    if (Integer.bitCount(termBytes) != 1
        || termBytes < MIN_TERM_BYTES
        || termBytes > MAX_TERM_BYTES) {
      throw invalid("termBytes", termBytes, "a power of two from 64 KiB to 128 MiB");
    }
    if (livenessNanos < TimeUnit.SECONDS.toNanos(1)) {
      throw invalid("livenessNanos", livenessNanos, "at least a second");
    }
    if (connectNanos < 0) {
      throw invalid("connectNanos", connectNanos, "at least 0");
    }
    if (maxParkNanos < 1_000 || maxParkNanos > TimeUnit.SECONDS.toNanos(1)) {
      throw invalid("maxParkNanos", maxParkNanos, "from a microsecond to a second");
    }
    if (channel == ChannelKind.UDP) {
      if (bindHost.isBlank() || bindHost.equals("0.0.0.0") || bindHost.equals("::")) {
        throw invalid(
            "bindHost", "'" + bindHost + "'", "an address of this host that its peers reach");
      }
      if (port < 0 || port > 65_535) {
        throw invalid("port", port, "from 0 to 65535");
      }
      if (mtuBytes < 1024 || mtuBytes > 65_504 || mtuBytes % 32 != 0) {
        throw invalid("mtuBytes", mtuBytes, "a multiple of 32 from 1024 to 65504");
      }
      if (socketBufferBytes < mtuBytes) {
        throw invalid("socketBufferBytes", socketBufferBytes, "at least mtuBytes = " + mtuBytes);
      }
      if (windowBytes < mtuBytes
          || windowBytes > termBytes / 2
          || windowBytes > socketBufferBytes) {
        throw invalid(
            "windowBytes",
            windowBytes,
            "from mtuBytes = "
                + mtuBytes
                + " to the smaller of termBytes / 2 = "
                + termBytes / 2
                + " and socketBufferBytes = "
                + socketBufferBytes);
      }
    }
  }

  private static IllegalArgumentException invalid(String key, Object value, String right) {
    return new IllegalArgumentException(key + " is " + value + ", must be " + right);
  }

  /** Shared memory, with the media driver in this process, in a fresh directory. */
  public static AeronSettings ipc() {
    return defaults("", true, ChannelKind.IPC, "", 0);
  }

  /** Shared memory, through the media driver that runs in a directory. */
  public static AeronSettings ipcClient(String directory) {
    return defaults(directory, false, ChannelKind.IPC, "", 0);
  }

  /**
   * UDP with a media driver in this process.
   *
   * @param bindHost address of this host that peers reach
   * @param port 0: any free one
   */
  public static AeronSettings udp(String bindHost, int port) {
    return defaults("", true, ChannelKind.UDP, bindHost, port);
  }

  private static AeronSettings defaults(
      String directory, boolean embedded, ChannelKind channel, String bindHost, int port) {
    return new AeronSettings(
        directory,
        embedded,
        channel,
        bindHost,
        port,
        DEFAULT_TERM_BYTES,
        DEFAULT_UDP_MTU_BYTES,
        DEFAULT_SOCKET_BUFFER_BYTES,
        DEFAULT_TERM_BYTES / 2,
        TimeUnit.SECONDS.toNanos(20),
        TimeUnit.SECONDS.toNanos(30),
        TimeUnit.MILLISECONDS.toNanos(1));
  }

  /** The same through a media driver that runs already in a directory. */
  public AeronSettings withExternalDriver(String directory) {
    return new AeronSettings(
        directory,
        false,
        channel,
        bindHost,
        port,
        termBytes,
        mtuBytes,
        socketBufferBytes,
        windowBytes,
        livenessNanos,
        connectNanos,
        maxParkNanos);
  }

  /** The same with a directory; empty: a fresh one. */
  public AeronSettings withDirectory(String directory) {
    return new AeronSettings(
        directory,
        embeddedDriver,
        channel,
        bindHost,
        port,
        termBytes,
        mtuBytes,
        socketBufferBytes,
        windowBytes,
        livenessNanos,
        connectNanos,
        maxParkNanos);
  }

  /**
   * The same for frames of a length: terms are no smaller than the default's, because a sender's
   * window is half a term and small windows make it wait for the driver (measured on a busy host:
   * 450 MB/s with terms of 512 KiB, 7,300 with 2 MiB). The UDP window becomes half a term, or the
   * socket buffer if that is less.
   */
  public AeronSettings withFramesOf(int frameBytes) {
    long needed = Long.highestOneBit(2L * FRAMES_PER_TERM * Math.max(1, frameBytes) - 1);
    if (needed > MAX_TERM_BYTES) {
      throw invalid("frameBytes", frameBytes, "at most " + MAX_TERM_BYTES / FRAMES_PER_TERM);
    }
    int term = (int) Math.max(DEFAULT_TERM_BYTES, needed);
    return withBuffers(term, mtuBytes, socketBufferBytes, Math.min(term / 2, socketBufferBytes));
  }

  /** The same with other buffers. */
  public AeronSettings withBuffers(
      int termBytes, int mtuBytes, int socketBufferBytes, int windowBytes) {
    return new AeronSettings(
        directory,
        embeddedDriver,
        channel,
        bindHost,
        port,
        termBytes,
        mtuBytes,
        socketBufferBytes,
        windowBytes,
        livenessNanos,
        connectNanos,
        maxParkNanos);
  }

  /** The same with other times. */
  public AeronSettings withTimes(long livenessNanos, long connectNanos, long maxParkNanos) {
    return new AeronSettings(
        directory,
        embeddedDriver,
        channel,
        bindHost,
        port,
        termBytes,
        mtuBytes,
        socketBufferBytes,
        windowBytes,
        livenessNanos,
        connectNanos,
        maxParkNanos);
  }

  /** Longest frame, in bytes. */
  public int maxFrameBytes() {
    return Math.min(termBytes / FRAMES_PER_TERM, FramePool.maxLengthBytes());
  }

  /** Shared memory of one log, in bytes. */
  public long logBytes() {
    return (long) TERMS_PER_LOG * termBytes + PAGE_BYTES;
  }

  /**
   * Shared memory that one host needs, in bytes.
   *
   * @param drivers media drivers of the host: 1 with IPC, one for each process with UDP
   * @param directedPairs pairs (sender, addressee) that exchange frames: with IPC those within the
   *     host; with UDP those whose sender is on the host plus those whose addressee is
   */
  public long sharedMemoryBytes(int drivers, long directedPairs) {
    return drivers * DRIVER_FILES_BYTES + directedPairs * logBytes();
  }
}
