package io.holdfast.launcher.process;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * Ends this process when its parent dies, and hears what the parent says. The parent holds the
 * other end of this process's standard input, so the end of the stream means that the parent is
 * gone, however it died.
 */
public final class ParentWatch {
  /** Exit status of a process that lost its parent. */
  public static final int ORPHANED = 1;

  private ParentWatch() {}

  /**
   * Begins to watch standard input.
   *
   * @param orders gets its lines, on a thread of its own
   */
  public static void start(Consumer<String> orders) {
    watch(System.in, orders, () -> Runtime.getRuntime().halt(ORPHANED));
  }

  static Thread watch(InputStream fromParent, Consumer<String> orders, Runnable whenGone) {
    return Thread.ofPlatform()
        .daemon()
        .name("parent-watch")
        .start(
            () -> {
              awaitEnd(fromParent, orders);
              whenGone.run();
            });
  }

  private static void awaitEnd(InputStream fromParent, Consumer<String> orders) {
    // Not closed: standard input is the process's.
    @SuppressWarnings("resource")
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(fromParent, StandardCharsets.UTF_8));
    try {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        orders.accept(line);
      }
    } catch (IOException e) {
      // A broken pipe is as good as its end.
    }
  }
}
