package io.holdfast.config.transport;

import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Measures a link: {@code LinkTiming memory|ipc|udp FRAME_BYTES [TERM_BYTES MTU_BYTES WINDOW_BYTES
 * SECONDS]}. With {@code ipc} and {@code udp} the sender is a process of its own. The sender writes
 * each frame in full, the receiver reads one long of each cache line, as the codec's users would.
 * Prints MB/s (1e6 bytes) from the first to the last frame; {@code idle N} instead prints the CPU
 * that N idle links take.
 */
final class LinkTiming {
  private static final NodeId SENDER = NodeId.worker(0);
  private static final NodeId RECEIVER = NodeId.server(0);

  private LinkTiming() {}

  public static void main(String[] args) throws Exception {
    switch (args[0]) {
      case "memory" -> memory(Integer.parseInt(args[1]), seconds(args));
      case "ipc", "udp" -> twoProcesses(args);
      case "send" -> send(args);
      case "idle" -> idle(Integer.parseInt(args[1]));
      default -> throw new IllegalArgumentException(args[0]);
    }
  }

  private static int seconds(String[] args) {
    return args.length > 5 ? Integer.parseInt(args[5]) : 5;
  }

  private static AeronSettings settings(String[] args, AeronSettings base) {
    AeronSettings sized = base.withFramesOf(Integer.parseInt(args[1]));
    if (args.length < 5) {
      return sized;
    }
    int window = Integer.parseInt(args[4]);
    return sized.withBuffers(
        Integer.parseInt(args[2]),
        Integer.parseInt(args[3]),
        Math.max(window, sized.socketBufferBytes()),
        window);
  }

  private static PlacementMap map(String sender, String receiver) {
    return new PlacementMap(
        new Epoch(1, 1),
        0,
        List.of(new Member(SENDER, 1, sender), new Member(RECEIVER, 1, receiver)));
  }

  private static void memory(int frameBytes, int seconds) throws InterruptedException {
    try (InMemoryNetwork network = new InMemoryNetwork();
        DataLink receiver = network.open(RECEIVER);
        DataLink sender = network.open(SENDER)) {
      Thread thread = new Thread(() -> sendFor(sender, frameBytes, seconds));
      thread.start();
      receive("memory", receiver, frameBytes);
      thread.join();
    }
  }

  private static void twoProcesses(String[] args) throws IOException, InterruptedException {
    boolean ipc = args[0].equals("ipc");
    AeronSettings base = ipc ? AeronSettings.ipc() : AeronSettings.udp("127.0.0.1", 0);
    try (AeronLinks links = new AeronLinks(settings(args, base));
        DataLink receiver = links.open(RECEIVER)) {
      String[] childArgs = new String[] {"send", args[1], "", "", "", "" + seconds(args), "", ""};
      System.arraycopy(args, 2, childArgs, 2, Math.min(3, args.length - 2));
      childArgs[6] = ipc ? links.directory().toString() : "";
      childArgs[7] = links.endpoint();
      Process child =
          TestJvm.start(LinkTiming.class, List.of(childArgs))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      try (BufferedReader out =
          new BufferedReader(
              new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
        receiver.connect(map(out.readLine(), links.endpoint()));
        receive(args[0], receiver, Integer.parseInt(args[1]));
      }
      child.waitFor();
    }
  }

  private static void send(String[] args) {
    AeronSettings base =
        args[6].isEmpty() ? AeronSettings.udp("127.0.0.1", 0) : AeronSettings.ipcClient(args[6]);
    String[] sized = args[2].isEmpty() ? new String[] {args[0], args[1]} : args;
    try (AeronLinks links = new AeronLinks(settings(sized, base));
        DataLink link = links.open(SENDER)) {
      System.out.println(links.endpoint());
      link.connect(map(links.endpoint(), args[7]));
      sendFor(link, Integer.parseInt(args[1]), seconds(args));
      LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(2)); // The last frames are still on the way.
    }
  }

  /** The last frame is marked by a first long of -1. */
  private static void sendFor(DataLink link, int frameBytes, int seconds) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    boolean last = false;
    while (!last) {
      last = System.nanoTime() >= end;
      Frame frame = link.frames().take(frameBytes);
      frame.segment().fill((byte) 1);
      frame.segment().set(ValueLayout.JAVA_LONG, 0, last ? -1 : 0);
      while (!link.offer(RECEIVER, frame)) {
        link.idle(0);
      }
      link.idle(1);
    }
  }

  private static void receive(String name, DataLink link, int frameBytes) {
    long[] sum = new long[1];
    boolean[] last = new boolean[1];
    long frames = 0;
    long from = 0;
    while (!last[0]) {
      int work =
          link.poll(
              frame -> {
                for (long at = 0; at < frame.byteSize(); at += 64) {
                  sum[0] += frame.get(ValueLayout.JAVA_LONG_UNALIGNED, at);
                }
                last[0] = frame.get(ValueLayout.JAVA_LONG_UNALIGNED, 0) == -1;
              },
              16);
      if (from == 0 && work > 0) {
        from = System.nanoTime();
      }
      frames += work;
      link.idle(work);
    }
    double took = (System.nanoTime() - from) / 1e9;
    System.out.printf(
        "%s %d bytes: %.0f MB/s, %d frames, checksum %d%n",
        name, frameBytes, frames * (double) frameBytes / took / 1e6, frames, sum[0]);
  }

  private static void idle(int count) throws InterruptedException {
    try (AeronLinks links = new AeronLinks(AeronSettings.ipc())) {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
      List<Thread> threads =
          java.util.stream.IntStream.range(0, count)
              .mapToObj(
                  i ->
                      Thread.ofPlatform()
                          .start(
                              () -> {
                                try (DataLink link = links.open(NodeId.server(i))) {
                                  while (System.nanoTime() < end) {
                                    link.idle(link.poll(frame -> {}, 10));
                                  }
                                }
                              }))
              .toList();
      var system =
          (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
      TimeUnit.SECONDS.sleep(4);
      long cpu = system.getProcessCpuTime();
      TimeUnit.SECONDS.sleep(5);
      cpu = system.getProcessCpuTime() - cpu;
      System.out.printf("%d idle links: %.1f %% of a core%n", count, cpu / 5e7);
      for (Thread thread : threads) {
        thread.join();
      }
    }
  }
}
