package io.holdfast.config.fault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class FaultPointsTest {
  @Test
  void shouldFireOnceAtTheArmedPointOnly() {
    AtomicInteger fired = new AtomicInteger();
    FaultPoints.arm(InjectionPoint.STAGED, fired::incrementAndGet);
    FaultPoints.fire(InjectionPoint.EPOCH);
    assertEquals(0, fired.get());
    FaultPoints.fire(InjectionPoint.STAGED);
    FaultPoints.fire(InjectionPoint.STAGED);
    assertEquals(1, fired.get());
  }

  @Test
  void shouldDoNothingInAProcessThatIsNotToFail() {
    assertFalse(FaultPoints.ON);
    AtomicInteger fired = new AtomicInteger();
    FaultPoints.arm(InjectionPoint.APPLYING, fired::incrementAndGet);
    FaultPoints.reached(InjectionPoint.APPLYING);
    assertEquals(0, fired.get());
    FaultPoints.fire(InjectionPoint.APPLYING);
  }

  @Test
  void shouldStopAProcessLetItGoOnAndKillIt() throws Exception {
    Process sleeper = new ProcessBuilder("sleep", "100").start();
    try {
      assertTrue(Signal.STOP.send(sleeper.pid()));
      assertEquals('T', stateIs('T', sleeper.pid()));
      assertTrue(Signal.CONTINUE.send(sleeper.pid()));
      assertEquals('S', stateIs('S', sleeper.pid()));
      assertTrue(Signal.KILL.send(sleeper.pid()));
      assertTrue(sleeper.waitFor(1, TimeUnit.MINUTES));
      assertEquals(128 + 9, sleeper.exitValue());
    } finally {
      sleeper.destroyForcibly();
    }
    assertFalse(Signal.KILL.send(sleeper.pid()), "it is gone");
  }

  /** The state in /proc, once it is what is expected, or after a while. */
  private static char stateIs(char expected, long pid) throws Exception {
    char state = 0;
    for (int i = 0; i < 1000 && state != expected; i++) {
      String stat = java.nio.file.Files.readString(java.nio.file.Path.of("/proc/" + pid + "/stat"));
      state = stat.charAt(stat.lastIndexOf(')') + 2);
      Thread.sleep(5);
    }
    return state;
  }
}
