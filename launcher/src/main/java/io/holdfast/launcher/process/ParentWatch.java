package io.holdfast.launcher.process;

import java.io.IOException;
import java.io.InputStream;

/**
 * Ends this process when its parent dies. The parent holds the other end of this process's standard
 * input and never writes to it, so the end of the stream means that the parent is gone, however it
 * died.
 */
public final class ParentWatch {
  /** Exit status of a process that lost its parent. */
  public static final int ORPHANED = 1;

  private ParentWatch() {}

  /** Begins to watch standard input. */
  public static void start() {
    watch(System.in, () -> Runtime.getRuntime().halt(ORPHANED));
  }

  static Thread watch(InputStream fromParent, Runnable whenGone) {
    return Thread.ofPlatform()
        .daemon()
        .name("parent-watch")
        .start(
            () -> {
              awaitEnd(fromParent);
              whenGone.run();
            });
  }

  private static void awaitEnd(InputStream fromParent) {
    try {
      int read;
      do {
        read = fromParent.read();
      } while (read >= 0);
    } catch (IOException e) {
      // A broken pipe is as good as its end.
    }
  }
}
