package io.holdfast.recovery.control;

import akka.actor.Address;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * Finds processes that have ended sooner than their silence tells. A process listens on the port of
 * its control plane as long as it lives, even while it is stopped or busy: so once its host, which
 * is up, refuses connections to that port, the process is gone. A host that does not answer at all
 * says nothing; that is the failure detector's.
 *
 * <p>Only the refusals of a port that was open before count, so that whoever is behind a
 * translation of addresses is left alone. Runs on threads of its own.
 */
final class PortProbe implements AutoCloseable {
  private static final Duration INTERVAL = Duration.ofMillis(250);
  private static final int TIMEOUT_MILLIS = 200;

  private enum Seen {
    NOTHING,
    OPEN,
    REFUSED
  }

  private final Map<Address, Seen> watched = new ConcurrentHashMap<>();
  private final Consumer<Address> gone;
  private final Thread thread;
  private volatile boolean closed;

  /**
   * Watches nobody yet.
   *
   * @param gone gets the address of a process that has ended, once; on a thread of this object
   */
  PortProbe(Consumer<Address> gone) {
    this.gone = gone;
    this.thread = Thread.ofPlatform().daemon().name("port-probe").start(this::run);
  }

  /** Looks after this process from now on; not after one of this JVM. */
  void watch(Address address) {
    if (address.getHost().isPresent() && address.getPort().isPresent()) {
      watched.putIfAbsent(address, Seen.NOTHING);
    }
  }

  void forget(Address address) {
    watched.remove(address);
  }

  private void run() {
    while (!closed) {
      // Each on its own: a host that does not answer holds nobody else up.
      for (Address address : watched.keySet()) {
        Thread.ofVirtual().start(() -> probe(address));
      }
      try {
        Thread.sleep(INTERVAL);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private void probe(Address address) {
    try (Socket socket = new Socket()) {
      socket.connect(
          new InetSocketAddress(address.getHost().get(), address.getPort().get()), TIMEOUT_MILLIS);
      watched.replace(address, Seen.OPEN);
    } catch (ConnectException e) {
      // Twice: the first may have met a full queue, which some systems refuse.
      if (String.valueOf(e.getMessage()).contains("refused")
          && !watched.replace(address, Seen.OPEN, Seen.REFUSED)
          && watched.remove(address, Seen.REFUSED)
          && !closed) {
        gone.accept(address);
      }
    } catch (IOException e) {
      // No answer is none.
    }
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
  }
}
