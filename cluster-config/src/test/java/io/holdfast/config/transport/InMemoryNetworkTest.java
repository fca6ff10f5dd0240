package io.holdfast.config.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.config.placement.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class InMemoryNetworkTest extends DataLinkContractTest {
  private final InMemoryNetwork network = new InMemoryNetwork();

  @Override
  LinkFactory processOf(NodeId node) {
    return network;
  }

  @Override
  void closeProcesses() {
    network.close();
  }

  @Test
  void shouldGiveBackFramesThatArriveWhilePeerCloses() throws InterruptedException {
    try (InMemoryNetwork lossy = new InMemoryNetwork()) {
      NodeId receiver = NodeId.server(0);
      DataLink sender = lossy.open(NodeId.worker(0));
      AtomicBoolean stop = new AtomicBoolean();
      List<Thread> threads = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        Thread thread = new Thread(() -> sendUntil(stop, sender, receiver));
        threads.add(thread);
        thread.start();
      }
      for (int round = 0; round < 8_000; round++) {
        DataLink link = lossy.open(receiver);
        if (round % 64 == 0) {
          Thread.sleep(0, 1); // Lets senders be caught in the middle.
        }
        link.close();
      }
      stop.set(true);
      for (Thread thread : threads) {
        thread.join();
      }
      sender.close();
      assertEquals(0, sender.frames().usedBytes());
    }
  }

  private static void sendUntil(AtomicBoolean stop, DataLink sender, NodeId receiver) {
    while (!stop.get()) {
      Frame frame = sender.frames().take(100);
      if (!sender.offer(receiver, frame)) {
        sender.frames().recycle(frame);
      }
    }
  }
}
