package io.holdfast.erasure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The choice is made once per JVM, so each case is a JVM of its own. */
final class KernelChoiceTest {

  private static final String VECTORS = "--add-modules=jdk.incubator.vector";
  private static final String NATIVE = "--enable-native-access=ALL-UNNAMED";

  @Test
  void shouldComputeTheSameBytesAtEveryVectorWidthAndWithoutVectors() throws Exception {
    List<String> expected = probe(0, VECTORS, NATIVE, "-Dholdfast.erasure.kernels=scalar");
    assertTrue(expected.get(0).startsWith("scalar (asked for"), expected.get(0));
    for (String width : List.of("vector-128", "vector-256", "vector-512")) {
      List<String> found = probe(0, VECTORS, NATIVE, "-Dholdfast.erasure.kernels=" + width);
      assertEquals(List.of(width, expected.get(1)), found);
    }
  }

  @Test
  void shouldFallBackToScalarsAndSayWhy() throws Exception {
    String withoutModule = probe(0, NATIVE).get(0);
    assertEquals(
        "scalar (the JVM was started without --add-modules=jdk.incubator.vector)", withoutModule);
    String withoutNative = probe(0, VECTORS, "--illegal-native-access=deny").get(0);
    assertEquals("scalar (the JVM was started without --enable-native-access)", withoutNative);
  }

  @Test
  void shouldFailWhenVectorsAreAskedForInVain() throws Exception {
    List<String> output = probe(1, NATIVE, "-Dholdfast.erasure.kernels=vector");
    assertTrue(
        String.join("\n", output).contains("was started without --add-modules"), output::toString);
    assertTrue(
        String.join("\n", probe(1, VECTORS, NATIVE, "-Dholdfast.erasure.kernels=fast"))
            .contains("must be auto, scalar, vector"));
  }

  /** Runs the probe; returns the lines it prints, without the JVM's warnings. */
  private static List<String> probe(int expectedExit, String... flags)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xshare:auto", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of(flags));
    command.addAll(
        List.of("-cp", System.getProperty("java.class.path"), KernelProbe.class.getName()));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (expectedExit == 0) {
      assertEquals(0, process.waitFor(), output);
    } else {
      assertNotEquals(0, process.waitFor(), output);
    }
    return output.lines().filter(line -> !line.startsWith("WARNING")).toList();
  }
}
