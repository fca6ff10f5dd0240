package io.holdfast.config.transport;

import io.aeron.Aeron;
import io.aeron.CommonContext;
import io.aeron.Subscription;
import io.aeron.exceptions.AeronException;
import io.aeron.exceptions.RegistrationException;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The links of one process over Aeron: through shared memory to processes of the same host, or over
 * UDP.
 *
 * <p>Each node reads one stream. Its id is made of the node's code and of a <em>generation</em>
 * that each process draws at random and tells with its endpoint, so a restarted process never reads
 * what was sent to its predecessor, and a predecessor that Aeron still believes alive holds nobody
 * back. (Should two streams ever get the same id, the endpoints' checks drop the strays.)
 *
 * <p>Each sender has a log of its own to each addressee (exclusive publications). One log per
 * addressee would save memory, but a sender that is killed while it writes would block all others
 * until Aeron's unblock timeout, which is longer than any death may stall a job.
 */
public final class AeronLinks implements LinkFactory {
  private static final Logger LOG = LoggerFactory.getLogger(AeronLinks.class);
  private static final char GENERATION_MARK = '#';
  private static final String IPC_ENDPOINT = "ipc";

  /** No node's code: role 255. Its stream only holds the UDP port. */
  private static final int ANCHOR_CODE = 0xFF00_0000;

  private static final int PORT_ATTEMPTS = 20;

  /** How often Aeron's client thread looks for news of the driver. */
  private static final long CLIENT_SLEEP_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  private final AeronSettings settings;
  private final int generation = ThreadLocalRandom.current().nextInt();
  private final FramePool frames = new FramePool();
  private final Map<NodeId, AeronLink> links = new ConcurrentHashMap<>();
  private final Path directory;
  private final AeronDriver driver;
  private final Aeron client;
  private final String endpoint;
  private final String channel;

  /**
   * Connects to the media driver, or starts one.
   *
   * @throws IllegalStateException if that fails, with the reason
   */
  public AeronLinks(AeronSettings settings) {
    this.settings = settings;
    this.directory = directory(settings, generation);
    AeronDriver startedDriver = null;
    Aeron startedClient = null;
    try {
      startedDriver = settings.embeddedDriver() ? AeronDriver.start(settings, directory) : null;
      startedClient = connect();
      String address =
          settings.channel() == ChannelKind.IPC ? IPC_ENDPOINT : bind(startedClient, settings);
      this.endpoint = address + GENERATION_MARK + DriverDirectories.hex(generation);
      this.channel = channelOf(address);
    } catch (RuntimeException e) {
      closeQuietly(startedClient);
      closeQuietly(startedDriver);
      throw new IllegalStateException(
          "cannot open Aeron links ("
              + settings.channel()
              + ", media driver "
              + (settings.embeddedDriver() ? "in this process" : "of another process")
              + ", directory "
              + directory
              + "): "
              + e.getMessage(),
          e);
    }
    this.driver = startedDriver;
    this.client = startedClient;
  }

  private static Path directory(AeronSettings settings, int generation) {
    if (!settings.directory().isEmpty()) {
      return Path.of(settings.directory());
    }
    Path base = DriverDirectories.base();
    DriverDirectories.removeAbandoned(base);
    return DriverDirectories.fresh(base, generation);
  }

  private Aeron connect() {
    return Aeron.connect(
        new Aeron.Context()
            .aeronDirectoryName(directory.toString())
            .clientName("holdfast-" + ProcessHandle.current().pid())
            .driverTimeoutMs(TimeUnit.NANOSECONDS.toMillis(settings.livenessNanos()))
            .idleSleepDurationNs(CLIENT_SLEEP_NANOS)
            .threadFactory(work -> AeronDriver.daemon(work, "aeron-client"))
            .errorHandler(AeronLinks::report)
            .subscriberErrorHandler(AeronLinks::report));
  }

  private static void report(Throwable error) {
    LOG.error("Aeron reports: {}", error.getMessage(), error);
  }

  /** Takes the UDP port for as long as the client lives; returns {@code host:port}. */
  private static String bind(Aeron client, AeronSettings settings) {
    String host = settings.bindHost();
    String bracketed = host.indexOf(':') >= 0 && !host.startsWith("[") ? "[" + host + "]" : host;
    if (settings.port() != 0) {
      String address = bracketed + ":" + settings.port();
      hold(client, address);
      return address;
    }
    for (int attempt = 1; ; attempt++) {
      String address = bracketed + ":" + freePort(host);
      try {
        hold(client, address);
        return address;
      } catch (RegistrationException e) {
        if (attempt == PORT_ATTEMPTS) { // Another process may take the port in between.
          throw e;
        }
      }
    }
  }

  private static void hold(Aeron client, String address) {
    Subscription unused = client.addSubscription(channelOf(address), ANCHOR_CODE);
    LOG.debug("Holding {}", unused.channel());
  }

  private static int freePort(String host) {
    try (DatagramSocket socket =
        new DatagramSocket(new InetSocketAddress(InetAddress.getByName(host), 0))) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new IllegalStateException(
          "cannot bind a UDP port of '" + host + "': " + e.getMessage(), e);
    }
  }

  private static String channelOf(String address) {
    return address.equals(IPC_ENDPOINT)
        ? CommonContext.IPC_CHANNEL
        : CommonContext.UDP_CHANNEL + "?endpoint=" + address;
  }

  /** Where the media driver's files are; other processes of this host may use it too. */
  public Path directory() {
    return directory;
  }

  /** {@code ipc#generation} or {@code host:port#generation}; opaque to all but Aeron links. */
  @Override
  public String endpoint() {
    return endpoint;
  }

  /**
   * The link of a node.
   *
   * @throws IllegalStateException if the node has one, or Aeron refuses
   */
  @Override
  public DataLink open(NodeId self) {
    if (links.containsKey(self)) {
      throw new IllegalStateException(self + " has a link already");
    }
    AeronLink link;
    try {
      link =
          new AeronLink(
              client,
              frames,
              settings,
              new AeronAddress(channel, streamId(self, generation)),
              () -> links.remove(self));
    } catch (AeronException e) {
      throw new IllegalStateException("cannot open the link of " + self + ": " + e.getMessage(), e);
    }
    if (links.putIfAbsent(self, link) != null) {
      link.close();
      throw new IllegalStateException(self + " has a link already");
    }
    return link;
  }

  private static int streamId(NodeId node, int generation) {
    return node.code() ^ generation;
  }

  /**
   * Where a member reads, from what its process told as its endpoint.
   *
   * @throws IllegalArgumentException if its process uses another kind of link
   */
  static AeronAddress address(ChannelKind kind, Member member) {
    String endpoint = member.endpoint();
    int mark = endpoint.lastIndexOf(GENERATION_MARK);
    boolean ipc = mark > 0 && endpoint.substring(0, mark).equals(IPC_ENDPOINT);
    if (mark <= 0 || ipc != (kind == ChannelKind.IPC)) {
      throw new IllegalArgumentException(
          member.node()
              + " reads at '"
              + endpoint
              + "', but this process uses Aeron over "
              + kind
              + ": all processes of a job must use the same kind of link");
    }
    int generation = Integer.parseUnsignedInt(endpoint, mark + 1, endpoint.length(), 16);
    return new AeronAddress(
        channelOf(endpoint.substring(0, mark)), streamId(member.node(), generation));
  }

  /** Stops all that was started here and removes the driver's files. */
  @Override
  public void close() {
    if (!links.isEmpty()) {
      throw new IllegalStateException("links are still open: " + links.keySet());
    }
    client.close();
    closeQuietly(driver);
    frames.close();
  }

  private static void closeQuietly(AutoCloseable resource) {
    if (resource == null) {
      return;
    }
    try {
      resource.close();
    } catch (Exception e) {
      LOG.warn("Closing {}: {}", resource.getClass().getSimpleName(), e.toString());
    }
  }
}
