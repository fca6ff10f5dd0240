package io.holdfast.launcher.progress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ConsoleProgressTest {
  private final StringWriter text = new StringWriter();
  private long nowNanos;

  private ConsoleProgress progress(boolean terminal, long intervalSeconds) {
    return ConsoleProgress.withClock(
        new PrintWriter(text), terminal, TimeUnit.SECONDS.toNanos(intervalSeconds), () -> nowNanos);
  }

  private void pass(long seconds) {
    nowNanos += TimeUnit.SECONDS.toNanos(seconds);
  }

  @Test
  void shouldPrintALineNowAndThenAndTheLastPoint() {
    try (ConsoleProgress progress = progress(false, 5)) {
      for (int i = 0; i <= 12; i++) {
        progress.at(new ProgressPoint("training", 1000L * i, 13000, "samples", 0.5, 0.75));
        pass(1);
      }
    }
    assertEquals(
        """
        training 38 %, 5,000 of 13,000 samples, 1,000 samples/s, loss 0.5000, AUC 0.7500, 0:08 left
        training 76 %, 10,000 of 13,000 samples, 1,000 samples/s, loss 0.5000, AUC 0.7500, 0:03 left
        training 92 %, 12,000 of 13,000 samples, 923 samples/s, loss 0.5000, AUC 0.7500, 0:01 left
        """,
        text.toString());
  }

  @Test
  void shouldRedrawOneLineOnATerminal() {
    try (ConsoleProgress progress = progress(true, 1)) {
      progress.at("training", 0, 0, "samples");
      pass(1);
      progress.at("training", 10, 0, "samples");
      pass(1);
      progress.at("training", 20, 0, "samples");
    }
    String shown = text.toString();
    assertEquals(2, shown.chars().filter(c -> c == '\r').count());
    assertEquals(1, shown.chars().filter(c -> c == '\n').count());
    assertTrue(
        shown.endsWith("training 20 samples, 10 samples/s\u001b[?7h" + System.lineSeparator()));
  }

  @Test
  void shouldEndALineBeforeAnotherActivity() {
    try (ConsoleProgress progress = progress(false, 5)) {
      progress.at("reading", 7, 7, "bytes");
      progress.at("training", 3, 9, "samples");
    }
    assertEquals("reading 100 %, 7 of 7 bytes\ntraining 33 %, 3 of 9 samples\n", text.toString());
  }

  @Test
  void shouldPrintNothingWhenNothingHappened() {
    progress(false, 5).close();
    assertFalse(text.toString().contains("0"));
    assertEquals("", text.toString());
  }

  @Test
  void shouldWriteLongTimesWithHours() {
    assertTrue(
        ProgressLine.of(
                new ProgressPoint("training", 0, 7265, "samples", Double.NaN, Double.NaN), 1)
            .endsWith("2:01:05 left"));
  }
}
