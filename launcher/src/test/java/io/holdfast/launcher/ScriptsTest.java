package io.holdfast.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScriptsTest {
  @ParameterizedTest
  @ValueSource(strings = {"scripts/holdfast", "scripts/format", "scripts/find-jdk.sh", ".ci/run"})
  void shouldBeReadableByBash(String script) throws Exception {
    Path path = Path.of("..").resolve(script);
    Process bash =
        new ProcessBuilder("bash", "-n", path.toString()).redirectErrorStream(true).start();
    String said = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, bash.waitFor(), said);
    assertTrue(script.endsWith(".sh") || Files.isExecutable(path), script);
  }

  /** {@code scripts/holdfast} takes them from where the build puts them. */
  @Test
  void shouldFindTheFlagsOfTheBuild() throws Exception {
    try (var flags = Main.class.getResourceAsStream("jvm.flags")) {
      String text = new String(flags.readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(text.contains("--add-modules=jdk.incubator.vector"), text);
      assertFalse(text.contains("${"), text);
      assertEquals(1, text.lines().count(), "the script reads one line");
    }
  }
}
