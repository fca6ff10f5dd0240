package io.holdfast.system.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.holdfast.launcher.Main;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

final class SimulateCommandTest {
  private static final Logger OURS = (Logger) LoggerFactory.getLogger("io.holdfast");
  private Level levelBefore;
  private String out;
  private String err;

  @BeforeEach
  void remember() {
    levelBefore = OURS.getLevel();
  }

  @AfterEach
  void beAsBefore() {
    OURS.setLevel(levelBefore);
  }

  /** Through the launcher's own list of commands, so that the command is found where it should. */
  private int run(String... arguments) {
    StringWriter outText = new StringWriter();
    StringWriter errText = new StringWriter();
    int code = Main.create().run(new PrintWriter(outText), new PrintWriter(errText), arguments);
    out = outText.toString();
    err = errText.toString();
    return code;
  }

  @Test
  void shouldSumUpRunsFaultsAndFailuresInItsLastLine() {
    assertEquals(0, run("simulate", "--seeds", "20", "--from", "5", "--threads", "1"), err);
    String last = out.lines().toList().getLast();
    assertTrue(last.startsWith("20 runs, 0 failed; "), last);
    assertTrue(last.contains(" faults: ") && last.contains(" frames lost"), last);
    assertTrue(err.contains("20 of 20 runs"), err);
    String one = last;
    assertEquals(0, run("simulate", "--seeds", "20", "--from", "5", "--threads", "2"), err);
    assertEquals(one, out.lines().toList().getLast(), "threads change nothing");
  }

  @Test
  void shouldReplayASeedWithABoundedTrace() {
    assertEquals(0, run("simulate", "--seed", "3", "--trace", "50"), err);
    List<String> lines = out.lines().toList();
    assertTrue(lines.getFirst().startsWith("seed 3: "), out);
    assertTrue(lines.getLast().startsWith("seed 3 passed; "), out);
    assertTrue(lines.size() >= 52 && lines.size() <= 54, lines.size() + " lines");
  }

  @Test
  void shouldRefuseWhatMakesNoSense() {
    for (String option : List.of("--seeds", "--threads", "--trace", "--max-failures")) {
      assertEquals(2, run("simulate", option, "0"));
      assertTrue(err.contains(option + " 0: must be at least 1"), err);
    }
  }
}
