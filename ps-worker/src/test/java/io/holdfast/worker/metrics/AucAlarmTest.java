package io.holdfast.worker.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class AucAlarmTest {
  private static final long SECOND = 1_000_000_000L;

  @Test
  void shouldSayHowLongAndForHowManySamplesAucSatAtChance() {
    AucAlarm alarm = new AucAlarm(0.01, 1000);
    assertEquals(Optional.empty(), alarm.update(0.505, 100, SECOND));
    assertEquals(Optional.empty(), alarm.update(0.495, 1099, 2 * SECOND));
    assertFalse(alarm.active());
    String message = alarm.update(0.5, 1100, 4 * SECOND).orElseThrow();
    assertTrue(message.contains("0.5000") && message.contains("1000 samples"), message);
    assertTrue(message.contains("3.0 s"), message);
    assertTrue(alarm.active());
  }

  @Test
  void shouldSpeakOnceUntilAucHasLeftChance() {
    AucAlarm alarm = new AucAlarm(0.01, 10);
    alarm.update(0.5, 0, 0);
    assertTrue(alarm.update(0.5, 10, 0).isPresent());
    assertTrue(alarm.update(0.5, 30, 0).isEmpty());
    assertTrue(alarm.update(0.6, 40, 0).isEmpty());
    assertFalse(alarm.active());
    assertTrue(alarm.update(0.5, 45, 0).isEmpty());
    assertTrue(alarm.update(0.5, 54, 0).isEmpty());
    assertTrue(alarm.update(0.5, 55, 0).isPresent());
  }

  @Test
  void shouldBeCalmWhileTheModelLearns() {
    AucAlarm alarm = new AucAlarm(0.01, 10);
    for (int i = 0; i < 100; i++) {
      assertTrue(alarm.update(i % 5 == 0 ? 0.5 : 0.7, i * 8L, 0).isEmpty());
    }
    // Worse than chance is not knowing nothing.
    assertTrue(alarm.update(0.2, 10_000, 0).isEmpty());
  }

  @Test
  void shouldSpeakOfLabelsThatAreAllEqual() {
    AucAlarm alarm = new AucAlarm(0.01, 10);
    alarm.update(Double.NaN, 0, 0);
    assertTrue(alarm.update(Double.NaN, 10, 0).orElseThrow().contains("labels are equal"));
  }

  @Test
  void shouldRefuseSettingsThatCannotWork() {
    assertThrows(IllegalArgumentException.class, () -> new AucAlarm(0.5, 10));
    assertThrows(IllegalArgumentException.class, () -> new AucAlarm(Double.NaN, 10));
    assertThrows(IllegalArgumentException.class, () -> new AucAlarm(0.01, 0));
  }
}
