package io.holdfast.config.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.config.placement.NodeId;
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
      Thread thread =
          new Thread(
              () -> {
                while (!stop.get()) {
                  Frame frame = sender.frames().take(100);
                  if (!sender.offer(receiver, frame)) {
                    sender.frames().recycle(frame);
                  }
                }
              });
      thread.start();
      for (int round = 0; round < 5_000; round++) {
        lossy.open(receiver).close();
      }
      stop.set(true);
      thread.join();
      sender.close();
      assertEquals(0, sender.frames().usedBytes());
    }
  }
}
