package io.holdfast.recovery.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import akka.actor.Address;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class PortProbeTest {
  private final BlockingQueue<Address> gone = new LinkedBlockingQueue<>();

  private static Address at(int port) {
    return new Address("akka", "holdfast", "127.0.0.1", port);
  }

  private static ServerSocket listen() throws Exception {
    return new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
  }

  @Test
  void shouldTellOnceOfAPortThatNobodyListensOnAnyMore() throws Exception {
    try (PortProbe probe = new PortProbe(gone::add);
        ServerSocket stays = listen()) {
      Address ended;
      try (ServerSocket ends = listen()) {
        ended = at(ends.getLocalPort());
        probe.watch(ended);
        probe.watch(at(stays.getLocalPort()));
        ends.accept().close(); // It was seen open.
      }
      assertEquals(ended, gone.poll(1, TimeUnit.MINUTES));
      assertNull(gone.poll(1, TimeUnit.SECONDS), "nobody else, and nobody twice");
    }
  }

  @Test
  void shouldSayNothingOfAPortThatNeverWasOpenOrIsForgotten() throws Exception {
    Address never;
    try (ServerSocket socket = listen()) {
      never = at(socket.getLocalPort());
    }
    try (PortProbe probe = new PortProbe(gone::add)) {
      probe.watch(never);
      try (ServerSocket ends = listen()) {
        probe.watch(at(ends.getLocalPort()));
        ends.accept().close();
        probe.forget(at(ends.getLocalPort()));
      }
      assertNull(gone.poll(1, TimeUnit.SECONDS));
    }
  }
}
