package io.holdfast.config.transport;

import io.holdfast.config.placement.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Processes with a media driver each, over the loopback device. */
class AeronUdpTest extends DataLinkContractTest {
  private final List<AeronLinks> processes = new ArrayList<>();

  @Override
  LinkFactory processOf(NodeId node) {
    AeronLinks process =
        new AeronLinks(
            AeronSettings.udp("127.0.0.1", 0)
                .withFramesOf(1 << 20)
                .withTimes(
                    TimeUnit.SECONDS.toNanos(2),
                    TimeUnit.SECONDS.toNanos(60),
                    TimeUnit.MILLISECONDS.toNanos(500)));
    processes.add(process);
    return process;
  }

  @Override
  void closeProcesses() {
    processes.reversed().forEach(AeronLinks::close);
  }
}
