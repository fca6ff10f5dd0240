package io.holdfast.launcher.fault;

import io.holdfast.config.fault.FaultPoints;
import io.holdfast.config.fault.InjectionPoint;
import io.holdfast.config.fault.LinkFault;
import io.holdfast.config.fault.ProcessFaults;
import io.holdfast.config.fault.Signal;
import io.holdfast.config.placement.NodeId;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the launcher tells its children to get wrong, a line each. It goes through the pipe that
 * ties a child to its parent, so it arrives whatever state the control plane is in.
 *
 * <pre>
 *   arm POINT kill|stop|tell ID    at that point say {@code SAID ID}, and then do it
 *   link CODE cut|DELAY NANOS|-    frames to that node, for so long
 *   corrupt ROW|-1
 *   fill BYTES
 * </pre>
 */
public final class FaultOrders {
  private static final Logger LOG = LoggerFactory.getLogger(FaultOrders.class);

  /** Begins the line by which a child says that it has reached a point. */
  private static final String SAID = "holdfast-fault-reached ";

  private static final Pattern REACHED = Pattern.compile(SAID + "(\\d{1,9})");

  private FaultOrders() {}

  static String arm(InjectionPoint point, Optional<Signal> signal, int id) {
    String action = signal.map(each -> each.name().toLowerCase(Locale.ROOT)).orElse("tell");
    return "arm " + point + " " + action + " " + id;
  }

  static String link(NodeId peer, LinkFault fault, java.util.OptionalLong durationNanos) {
    return "link "
        + peer.code()
        + " "
        + (fault.cut() ? "cut" : Long.toString(fault.delayNanos()))
        + " "
        + (durationNanos.isPresent() ? Long.toString(durationNanos.getAsLong()) : "-");
  }

  static String corrupt(long row) {
    return "corrupt " + row;
  }

  static String fill(long bytes) {
    return "fill " + bytes;
  }

  /** The fault whose point a child has reached, if that is what this line says. */
  public static OptionalInt reached(String line) {
    Matcher said = REACHED.matcher(line);
    return said.find() ? OptionalInt.of(Integer.parseInt(said.group(1))) : OptionalInt.empty();
  }

  /** In a child: does what it is told. */
  public static void obey(String line) {
    if (!FaultPoints.ON) {
      return;
    }
    try {
      obey(line.split(" "));
    } catch (RuntimeException e) {
      LOG.error("A fault cannot be injected: {}", line, e);
    }
  }

  private static void obey(String[] words) {
    switch (words[0]) {
      case "arm" -> {
        Optional<Signal> signal =
            switch (words[2]) {
              case "kill" -> Optional.of(Signal.KILL);
              case "stop" -> Optional.of(Signal.STOP);
              default -> Optional.empty();
            };
        Signal.prepare();
        FaultPoints.arm(
            InjectionPoint.valueOf(words[1]),
            () -> {
              say(words[3]);
              signal.ifPresent(Signal::sendToSelf);
            });
      }
      case "link" -> {
        NodeId peer = NodeId.of(Integer.parseInt(words[1]));
        LinkFault fault =
            words[2].equals("cut")
                ? new LinkFault(true, 0)
                : new LinkFault(false, Long.parseLong(words[2]));
        if (words[3].equals("-")) {
          ProcessFaults.links().set(peer, fault);
        } else {
          ProcessFaults.links().set(peer, fault, System.nanoTime() + Long.parseLong(words[3]));
        }
      }
      case "corrupt" -> ProcessFaults.corrupt(Long.parseLong(words[1]));
      case "fill" -> fillMemory(Long.parseLong(words[1]));
      default -> LOG.error("Not understood: {}", String.join(" ", words));
    }
  }

  /** Past all buffers and locks of this process: it may be killed next. */
  private static void say(String id) {
    try {
      // Not closed: that would close standard output.
      @SuppressWarnings("resource")
      FileOutputStream out = new FileOutputStream(FileDescriptor.out);
      out.write((SAID + id + "\n").getBytes(StandardCharsets.US_ASCII));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Never given back. */
  private static void fillMemory(long bytes) {
    MemorySegment taken = Arena.global().allocate(bytes);
    taken.fill((byte) 1);
    LOG.warn("Took {} bytes of memory, as told", bytes);
  }
}
