package io.holdfast.config.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class AeronSettingsTest {
  private static final AeronSettings UDP = AeronSettings.udp("127.0.0.1", 0);

  private static void assertRefused(String key, Executable settings) {
    IllegalArgumentException thrown = assertThrows(IllegalArgumentException.class, settings);
    assertTrue(thrown.getMessage().startsWith(key + " is "), thrown.getMessage());
    assertTrue(thrown.getMessage().contains("must be"), thrown.getMessage());
  }

  @Test
  void shouldNameTheBadSetting() {
    assertRefused("directory", () -> AeronSettings.ipcClient(""));
    assertRefused("termBytes", () -> UDP.withBuffers(100_000, 8192, 1 << 20, 8192));
    assertRefused("termBytes", () -> UDP.withBuffers(32_768, 8192, 1 << 20, 8192));
    assertRefused("mtuBytes", () -> UDP.withBuffers(1 << 20, 1500, 1 << 20, 8192));
    assertRefused("socketBufferBytes", () -> UDP.withBuffers(1 << 20, 8192, 4096, 8192));
    assertRefused("windowBytes", () -> UDP.withBuffers(1 << 20, 8192, 1 << 20, 1 << 20));
    assertRefused("bindHost", () -> AeronSettings.udp("0.0.0.0", 0));
    assertRefused("bindHost", () -> AeronSettings.udp(" ", 0));
    assertRefused("port", () -> AeronSettings.udp("127.0.0.1", 65_536));
    assertRefused("livenessNanos", () -> UDP.withTimes(1, 0, 1_000_000));
    assertRefused("connectNanos", () -> UDP.withTimes(TimeUnit.SECONDS.toNanos(9), -1, 1_000_000));
    assertRefused("maxParkNanos", () -> UDP.withTimes(TimeUnit.SECONDS.toNanos(9), 0, 0));
    assertRefused("frameBytes", () -> UDP.withFramesOf(1 << 25));
  }

  @Test
  void shouldChooseTermsThatCarryFrames() {
    assertEquals(2 << 20, UDP.withFramesOf(1).termBytes());
    assertEquals(2 << 20, UDP.withFramesOf(256 << 10).termBytes());
    assertEquals(4 << 20, UDP.withFramesOf((256 << 10) + 1).termBytes());
    assertEquals(1 << 20, UDP.withFramesOf(1 << 20).maxFrameBytes());
    assertEquals(1 << 24, UDP.withFramesOf(1 << 24).maxFrameBytes());
    assertEquals(2 << 20, UDP.withFramesOf(1 << 24).windowBytes());
  }

  @Test
  void shouldKeepFiveServersAndTwoWorkersUnder300Megabytes() {
    long withRedundancy = 2 * 5 * 2 + 5 * 4;
    long bytes = AeronSettings.ipc().sharedMemoryBytes(1, withRedundancy);
    assertTrue(bytes < 300_000_000L, "bytes " + bytes);
  }
}
