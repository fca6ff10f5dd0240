package io.holdfast.config.transport;

import io.holdfast.config.placement.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A parent process that runs the media driver, and children that use it, here in one JVM. */
class AeronIpcTest extends DataLinkContractTest {
  private final List<AeronLinks> processes = new ArrayList<>();

  @Override
  LinkFactory processOf(NodeId node) {
    AeronSettings settings =
        processes.isEmpty()
            ? AeronSettings.ipc()
            : AeronSettings.ipcClient(processes.getFirst().directory().toString());
    AeronLinks process =
        new AeronLinks(
            settings
                .withFramesOf(1 << 20)
                .withTimes(
                    TimeUnit.SECONDS.toNanos(10),
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
