package io.holdfast.config.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class ControlPlaneTest {
  private static final String STABLE_AFTER = "akka.cluster.split-brain-resolver.stable-after";

  @AfterEach
  void forgetProperties() {
    System.clearProperty(STABLE_AFTER);
    ConfigFactory.invalidateCaches();
  }

  @Test
  void shouldPutOwnSettingsAboveAkkasAndBelowTheUsers() {
    Config config = ControlPlane.config("10.1.2.3", 2551, List.of("server", "coordinator"));
    assertEquals("cluster", config.getString("akka.actor.provider"));
    assertEquals(
        "server", config.getString("akka.cluster.split-brain-resolver.keep-majority.role"));
    assertEquals("10.1.2.3", config.getString("akka.remote.artery.canonical.hostname"));
    assertEquals(List.of("server", "coordinator"), config.getStringList("akka.cluster.roles"));
    assertEquals(1000, config.getDuration(STABLE_AFTER).toMillis());

    System.setProperty(STABLE_AFTER, "7s");
    ConfigFactory.invalidateCaches();
    assertEquals(7000, ControlPlane.config("h", 0, List.of()).getDuration(STABLE_AFTER).toMillis());
  }

  @Test
  void shouldNameASeedThatIsNone() {
    Config config = ControlPlane.config("127.0.0.1", 0, List.of());
    var error =
        assertThrows(
            IllegalArgumentException.class, () -> ControlPlane.start(config, List.of("host")));
    assertTrue(error.getMessage().contains("'host' is not HOST:PORT"), error.getMessage());
  }
}
