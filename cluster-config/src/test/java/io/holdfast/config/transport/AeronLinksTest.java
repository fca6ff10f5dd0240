package io.holdfast.config.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What only Aeron's links do. The timeout only ends what hangs. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class AeronLinksTest {
  private static final NodeId A = NodeId.worker(0);
  private static final NodeId B = NodeId.server(0);

  @TempDir Path temp;

  private static PlacementMap map(LinkFactory ofA, LinkFactory ofB) {
    return new PlacementMap(
        new Epoch(1, 1),
        0,
        List.of(new Member(A, 1, ofA.endpoint()), new Member(B, 1, ofB.endpoint())));
  }

  private static Frame frame(DataLink link, int number) {
    Frame frame = link.frames().take(Integer.BYTES);
    frame.segment().set(ValueLayout.JAVA_INT, 0, number);
    return frame;
  }

  private static Set<Thread> threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(Thread::isAlive)
        .collect(Collectors.toSet());
  }

  private static void connectAndSend(AeronLinks ofA, AeronLinks ofB) {
    try (DataLink a = ofA.open(A);
        DataLink b = ofB.open(B)) {
      a.connect(map(ofA, ofB));
      Frame frame = frame(a, 7);
      while (!a.offer(B, frame)) {
        a.idle(0);
      }
      List<Integer> got = new ArrayList<>();
      while (got.isEmpty()) {
        b.idle(b.poll(f -> got.add(f.get(ValueLayout.JAVA_INT_UNALIGNED, 0)), 1));
      }
      assertEquals(List.of(7), got);
    }
  }

  @Test
  void shouldLeaveNoThreadAndNoFile() throws InterruptedException {
    for (AeronSettings settings : List.of(AeronSettings.ipc(), AeronSettings.udp("127.0.0.1", 0))) {
      Set<Thread> before = threads();
      AeronLinks links = new AeronLinks(settings);
      Set<Thread> started = threads();
      started.removeAll(before);
      assertTrue(started.size() >= 2, "driver and client: " + started);
      assertTrue(started.stream().allMatch(Thread::isDaemon), started.toString());
      assertTrue(Files.isDirectory(links.directory()));
      connectAndSend(links, links);
      links.close();
      assertFalse(Files.exists(links.directory()), links.directory().toString());
      for (Thread thread : started) {
        thread.join();
      }
    }
  }

  @Test
  void shouldHoldFramesForPeerThatIsNotThereYet() {
    try (AeronLinks links = new AeronLinks(AeronSettings.ipc())) {
      DataLink a = links.open(A);
      a.connect(map(links, links));
      Frame waiting = frame(a, 0);
      for (int i = 0; i < 50; i++) {
        assertFalse(a.offer(B, waiting));
        a.idle(0);
      }
      DataLink b = links.open(B);
      for (int i = 0; i < 5; i++) {
        while (!a.offer(B, waiting)) {
          a.idle(0);
        }
        waiting = frame(a, i + 1);
      }
      List<Integer> got = new ArrayList<>();
      while (got.size() < 5) {
        b.idle(b.poll(f -> got.add(f.get(ValueLayout.JAVA_INT_UNALIGNED, 0)), 1));
      }
      assertEquals(List.of(0, 1, 2, 3, 4), got);
      a.frames().recycle(waiting);
      a.close();
      b.close();
    }
  }

  @Test
  void shouldDropFramesToPeerThatNeverCame() {
    AeronSettings settings =
        AeronSettings.ipc()
            .withTimes(
                TimeUnit.SECONDS.toNanos(10),
                TimeUnit.MILLISECONDS.toNanos(50),
                TimeUnit.MILLISECONDS.toNanos(1));
    try (AeronLinks links = new AeronLinks(settings);
        DataLink a = links.open(A)) {
      a.connect(map(links, links));
      Frame frame = frame(a, 0);
      assertFalse(a.offer(B, frame));
      while (!a.offer(B, frame)) {
        a.idle(0);
      }
      assertEquals(0, a.frames().usedBytes());
    }
  }

  @Test
  void shouldSayWhenMediaDriverIsGone() {
    AeronLinks parent = new AeronLinks(AeronSettings.ipc());
    AeronLinks child = new AeronLinks(AeronSettings.ipcClient(parent.directory().toString()));
    DataLink link = child.open(A);
    parent.close();
    IllegalStateException thrown =
        assertThrows(
            IllegalStateException.class,
            () -> {
              while (true) {
                link.idle(link.poll(frame -> {}, 1));
              }
            });
    assertTrue(thrown.getMessage().contains("media driver is gone"), thrown.getMessage());
    link.close();
    child.close();
  }

  @Test
  void shouldRefusePortThatIsTaken() {
    try (AeronLinks first = new AeronLinks(AeronSettings.udp("127.0.0.1", 0))) {
      String address = first.endpoint().substring(0, first.endpoint().indexOf('#'));
      int port = Integer.parseInt(address.substring(address.indexOf(':') + 1));
      IllegalStateException thrown =
          assertThrows(
              IllegalStateException.class,
              () -> new AeronLinks(AeronSettings.udp("127.0.0.1", port)));
      assertTrue(thrown.getMessage().contains("in use"), thrown.getMessage());
    }
  }

  @Test
  void shouldRefuseDirectoryOfRunningDriver() {
    try (AeronLinks first = new AeronLinks(AeronSettings.ipc())) {
      String taken = first.directory().toString();
      assertThrows(
          IllegalStateException.class,
          () -> new AeronLinks(AeronSettings.ipc().withDirectory(taken)));
      connectAndSend(first, first);
    }
  }

  @Test
  void shouldRefuseDirectoryWithoutDriver() {
    AeronSettings settings =
        AeronSettings.ipcClient(temp.resolve("none").toString())
            .withTimes(TimeUnit.SECONDS.toNanos(1), 0, TimeUnit.MILLISECONDS.toNanos(1));
    IllegalStateException thrown =
        assertThrows(IllegalStateException.class, () -> new AeronLinks(settings));
    assertTrue(thrown.getMessage().contains("of another process"), thrown.getMessage());
  }

  /** Starts links in a directory and dies without closing them. */
  static final class Dying {
    public static void main(String[] args) {
      AeronLinks links = new AeronLinks(AeronSettings.ipc().withDirectory(args[0]));
      Runtime.getRuntime().halt(links.endpoint().isEmpty() ? 1 : 0);
    }
  }

  @Test
  void shouldReplaceDirectoryOfDriverThatWasKilled() throws IOException, InterruptedException {
    Path directory = temp.resolve("driver");
    Process dying = TestJvm.start(Dying.class, List.of(directory.toString())).inheritIO().start();
    assertEquals(0, dying.waitFor());
    assertTrue(Files.isDirectory(directory));
    try (AeronLinks links =
        new AeronLinks(AeronSettings.ipc().withDirectory(directory.toString()))) {
      connectAndSend(links, links);
    }
    assertFalse(Files.exists(directory));
  }

  @Test
  void shouldRemoveOnlyAbandonedDirectories() throws IOException {
    FileTime old = FileTime.from(Instant.now().minusSeconds(3600));
    long noProcess = Integer.MAX_VALUE;
    Path abandoned = Files.createDirectory(temp.resolve("holdfast-aeron-" + noProcess + "-00"));
    Path young = Files.createDirectory(temp.resolve("holdfast-aeron-" + noProcess + "-01"));
    Path alive =
        Files.createDirectory(
            temp.resolve("holdfast-aeron-" + ProcessHandle.current().pid() + "-02"));
    Path other = Files.createDirectory(temp.resolve("holdfast-aeron-mine"));
    for (Path path : List.of(abandoned, alive, other)) {
      Files.setLastModifiedTime(path, old);
    }
    DriverDirectories.removeAbandoned(temp);
    assertFalse(Files.exists(abandoned));
    assertTrue(Files.exists(young));
    assertTrue(Files.exists(alive));
    assertTrue(Files.exists(other));
  }

  @Test
  void shouldRefuseMembersWithAnotherKindOfLink() {
    try (AeronLinks links = new AeronLinks(AeronSettings.ipc());
        DataLink a = links.open(A)) {
      for (String endpoint : List.of("", "10.0.0.1:4000", "10.0.0.1:4000#0000abcd")) {
        PlacementMap map =
            new PlacementMap(new Epoch(1, 1), 0, List.of(new Member(B, 1, endpoint)));
        IllegalArgumentException thrown =
            assertThrows(IllegalArgumentException.class, () -> a.connect(map));
        assertTrue(thrown.getMessage().contains("same kind of link"), thrown.getMessage());
      }
    }
  }

  @Test
  void shouldRefuseFrameBeyondItsLimit() {
    try (AeronLinks links =
            new AeronLinks(AeronSettings.ipc().withBuffers(128 << 10, 8192, 64 << 10, 8192));
        DataLink a = links.open(A)) {
      assertEquals(16_384, a.maxFrameBytes());
      Frame frame = a.frames().take(16_385);
      assertThrows(IllegalArgumentException.class, () -> a.offer(B, frame));
      a.frames().recycle(frame);
    }
  }

  @Test
  void shouldHandOutExactlyTheFrame() {
    try (AeronLinks links = new AeronLinks(AeronSettings.ipc());
        DataLink a = links.open(A)) {
      a.connect(map(links, links));
      Frame frame = frame(a, 5);
      while (!a.offer(A, frame)) {
        a.idle(0);
      }
      List<Long> lengths = new ArrayList<>();
      while (lengths.isEmpty()) {
        a.poll(
            f -> {
              lengths.add(f.byteSize());
              assertThrows(IndexOutOfBoundsException.class, () -> f.get(ValueLayout.JAVA_BYTE, 4));
              assertTrue(f.isNative() && !f.equals(MemorySegment.NULL));
            },
            1);
      }
      assertEquals(List.of(4L), lengths);
    }
  }
}
