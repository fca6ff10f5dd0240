package io.holdfast.launcher.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ChildJvmTest {
  private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

  /** A child that says what it got, and then does what its first argument says. */
  public static final class Child {
    public static void main(String[] arguments) throws Exception {
      ParentWatch.start(line -> System.out.println("heard " + line));
      System.out.println(String.join("|", arguments));
      System.out.println("HEAP=" + (Runtime.getRuntime().maxMemory() >> 20));
      System.err.println("PASSED=" + System.getenv("PASSED"));
      System.out.println("CORETYPE=" + System.getenv("OPENBLAS_CORETYPE"));
      if (arguments[0].equals("exit")) {
        System.exit(7);
      }
      if (arguments[0].equals("parent")) {
        ChildJvm child =
            ChildJvm.start(
                "c", List.of(), Child.class, List.of("wait"), Map.of(), System.out::println);
        System.out.println("grandchild " + child.pid());
        child.onExit().join();
      }
      new CountDownLatch(1).await();
    }
  }

  private ChildJvm start(String... arguments) throws Exception {
    return ChildJvm.start(
        "worker-1",
        List.of("-Xmx123m"),
        Child.class,
        List.of(arguments),
        Map.of("PASSED", "yes"),
        lines::add);
  }

  private String line() throws InterruptedException {
    String line = lines.poll(1, TimeUnit.MINUTES);
    assertNotEquals(null, line, "the child says nothing");
    return line;
  }

  @Test
  void shouldRunWithArgumentsAndEnvironmentAndDeliverAllOutputBeforeTheExitStatus()
      throws Exception {
    try (ChildJvm child = start("exit", "with space", "")) {
      assertEquals(7, child.onExit().get(1, TimeUnit.MINUTES));
      assertFalse(child.isAlive());
      List<String> all = List.copyOf(lines);
      assertTrue(all.contains("[worker-1] exit|with space|"), all::toString);
      assertTrue(all.contains("[worker-1] PASSED=yes"), all::toString);
      long heapMiB =
          all.stream()
              .filter(line -> line.startsWith("[worker-1] HEAP="))
              .mapToLong(line -> Long.parseLong(line.substring("[worker-1] HEAP=".length())))
              .sum();
      assertTrue(heapMiB > 100 && heapMiB < 140, all::toString);
      assertTrue(all.contains("[worker-1] CORETYPE=null"), all::toString);
    }
  }

  @Test
  void shouldKillItsChild() throws Exception {
    try (ChildJvm child = start("wait")) {
      assertEquals("[worker-1] wait", line());
      assertTrue(child.isAlive());
      assertNotEquals(ProcessHandle.current().pid(), child.pid());
      child.kill();
      assertEquals(128 + 9, child.onExit().get(1, TimeUnit.MINUTES));
    }
  }

  @Test
  void shouldHearWhatItsParentSays() throws Exception {
    try (ChildJvm child = start("wait")) {
      child.say("one order");
      child.say("another");
      String line = line();
      while (!line.equals("[worker-1] heard another")) {
        line = line();
      }
      assertTrue(child.isAlive());
    }
  }

  @Test
  void shouldEndItsChildOnClose() throws Exception {
    ChildJvm child = start("wait");
    assertEquals("[worker-1] wait", line());
    child.close();
    assertFalse(child.isAlive());
  }

  /** The parent gets no chance to end its child: it is killed. */
  @Test
  void shouldEndWhenItsParentIsKilled() throws Exception {
    try (ChildJvm parent = start("parent")) {
      List<String> said = new ArrayList<>();
      while (said.stream().noneMatch(line -> line.startsWith("[worker-1] grandchild "))
          || !said.contains("[worker-1] [c] wait")) {
        String line = lines.poll(1, TimeUnit.MINUTES);
        assertNotEquals(null, line, said::toString);
        said.add(line);
      }
      String told =
          said.stream().filter(line -> line.startsWith("[worker-1] grandchild ")).findFirst().get();
      long pid = Long.parseLong(told.substring(told.lastIndexOf(' ') + 1));
      ProcessHandle grandchild = ProcessHandle.of(pid).orElseThrow();
      assertTrue(grandchild.isAlive());
      parent.kill();
      grandchild.onExit().get(1, TimeUnit.MINUTES);
      assertFalse(grandchild.isAlive());
    }
  }

  @Test
  void shouldNoticeTheEndOfItsInputOnly() throws Exception {
    CountDownLatch gone = new CountDownLatch(1);
    PipedOutputStream parent = new PipedOutputStream();
    Thread watch = ParentWatch.watch(new PipedInputStream(parent), line -> {}, gone::countDown);
    parent.write(new byte[100]);
    parent.flush();
    assertEquals(1, gone.getCount());
    assertTrue(watch.isDaemon());
    parent.close();
    assertTrue(gone.await(1, TimeUnit.MINUTES));
  }
}
