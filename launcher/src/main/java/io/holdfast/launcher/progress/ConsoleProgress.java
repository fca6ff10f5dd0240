package io.holdfast.launcher.progress;

import java.io.PrintWriter;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Progress on a console: on a terminal one line that is redrawn, else a line now and then. The rate
 * is the mean since the activity began.
 */
public final class ConsoleProgress implements Progress {
  private static final long REDRAW_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  /** To the line's start, clear it, and cut at the edge what is too long instead of wrapping it. */
  private static final String BEFORE_LINE = "\r\u001b[K\u001b[?7l";

  private static final String AFTER_LINE = "\u001b[?7h";

  private final PrintWriter out;
  private final boolean terminal;
  private final long intervalNanos;
  private final LongSupplier nanoTime;

  private ProgressPoint first;
  private ProgressPoint last;
  private long startedNanos;
  private long shownNanos;
  private boolean lastIsShown;

  private ConsoleProgress(
      PrintWriter out, boolean terminal, long intervalNanos, LongSupplier nanoTime) {
    this.out = out;
    this.terminal = terminal;
    this.intervalNanos = intervalNanos;
    this.nanoTime = nanoTime;
  }

  /** One line, redrawn. */
  public static ConsoleProgress onTerminal(PrintWriter out) {
    return new ConsoleProgress(out, true, REDRAW_NANOS, System::nanoTime);
  }

  /** A line each {@code intervalNanos}, and one at the end of each activity. */
  public static ConsoleProgress plain(PrintWriter out, long intervalNanos) {
    return new ConsoleProgress(out, false, intervalNanos, System::nanoTime);
  }

  static ConsoleProgress withClock(
      PrintWriter out, boolean terminal, long intervalNanos, LongSupplier nanoTime) {
    return new ConsoleProgress(out, terminal, intervalNanos, nanoTime);
  }

  @Override
  public synchronized void at(ProgressPoint point) {
    long now = nanoTime.getAsLong();
    if (last == null || !last.activity().equals(point.activity())) {
      close();
      first = point;
      startedNanos = now;
      shownNanos = now;
    }
    last = point;
    lastIsShown = false;
    if (now - shownNanos >= intervalNanos) {
      show(now);
    }
  }

  private void show(long now) {
    double seconds = (now - startedNanos) / 1e9;
    double rate = seconds > 0 ? (last.done() - first.done()) / seconds : 0;
    String line = ProgressLine.of(last, rate);
    if (terminal) {
      out.print(BEFORE_LINE + line + AFTER_LINE);
    } else {
      out.println(line);
    }
    out.flush();
    shownNanos = now;
    lastIsShown = true;
  }

  @Override
  public synchronized void close() {
    if (last == null) {
      return;
    }
    if (!lastIsShown) {
      show(nanoTime.getAsLong());
    }
    if (terminal) {
      out.println();
      out.flush();
    }
    last = null;
  }
}
