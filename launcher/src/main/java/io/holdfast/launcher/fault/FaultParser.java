package io.holdfast.launcher.fault;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import io.holdfast.config.fault.InjectionPoint;
import io.holdfast.config.placement.NodeId;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Reads {@code ACTION:TARGET@WHEN}.
 *
 * <pre>
 *   kill:TARGET            stop:TARGET             pause:TARGET:DURATION
 *   cut:A-B[:DURATION]     slow:A-B:DELAY[:DURATION]
 *   corrupt:row=N          corrupt:TARGET          fill:TARGET:BYTES
 *
 *   TARGET  server-1, worker-0, owner-of-row=N, holder-of-row=N, coordinator, spare
 *   A, B    server-1, worker-0
 *   WHEN    iteration=N, time=DURATION, progress=1/3 (or 0.3), phase=NAME; a phase may follow another,
 *           with a comma between: iteration=200,phase=committing
 * </pre>
 */
public final class FaultParser {
  private static final Pattern NODE = Pattern.compile("(server|worker)-(\\d{1,7})");
  private static final Pattern LINK =
      Pattern.compile("((?:server|worker)-\\d{1,7})-((?:server|worker)-\\d{1,7})");
  private static final Pattern ROW =
      Pattern.compile("(row|owner-of-row|holder-of-row)=(\\d{1,18})");
  private static final Pattern FRACTION = Pattern.compile("(\\d{1,9})/(\\d{1,9})");

  private static final String ACTIONS =
      Arrays.stream(FaultAction.values()).map(FaultAction::word).collect(Collectors.joining(", "));
  private static final String PHASES =
      Arrays.stream(InjectionPoint.values())
          .map(InjectionPoint::word)
          .collect(Collectors.joining(", "));

  private final String text;

  private FaultParser(String text) {
    this.text = text;
  }

  /**
   * The fault that a text names.
   *
   * @throws FaultSpecException if it names none
   */
  public static FaultSpec parse(String text) {
    return new FaultParser(text).parse();
  }

  private FaultSpec parse() {
    int at = text.indexOf('@');
    if (at < 0 || text.indexOf('@', at + 1) >= 0) {
      throw problem("must be ACTION:TARGET@WHEN, such as kill:server-1@iteration=200");
    }
    List<String> what = List.of(text.substring(0, at).split(":", -1));
    FaultAction action =
        Arrays.stream(FaultAction.values())
            .filter(each -> each.word().equals(what.getFirst()))
            .findFirst()
            .orElseThrow(
                () -> problem("'" + what.getFirst() + "' is no action; there are " + ACTIONS));
    FaultTrigger trigger = trigger(text.substring(at + 1));
    if (what.size() < 2 || what.get(1).isEmpty()) {
      throw problem(action.word() + " of whom? Form: " + form(action));
    }
    requireForm(action, what);
    OptionalLong row = OptionalLong.empty();
    FaultTarget target;
    if (action == FaultAction.CUT || action == FaultAction.SLOW) {
      target = link(what.get(1));
    } else {
      target = target(what.get(1), action);
      if (action == FaultAction.CORRUPT && target instanceof FaultTarget.OwnerOfRow owner) {
        row = OptionalLong.of(owner.row());
      }
    }
    OptionalLong duration =
        switch (action) {
          case PAUSE -> OptionalLong.of(nanos(what.get(2)));
          case CUT -> what.size() > 2 ? OptionalLong.of(nanos(what.get(2))) : OptionalLong.empty();
          case SLOW -> what.size() > 3 ? OptionalLong.of(nanos(what.get(3))) : OptionalLong.empty();
          case KILL, STOP, CORRUPT, FILL -> OptionalLong.empty();
        };
    return new FaultSpec(
        text,
        action,
        target,
        row,
        duration,
        action == FaultAction.SLOW ? nanos(what.get(2)) : 0,
        action == FaultAction.FILL ? bytes(what.get(2)) : 0,
        trigger);
  }

  private void requireForm(FaultAction action, List<String> what) {
    int least =
        switch (action) {
          case KILL, STOP, CUT, CORRUPT -> 2;
          case PAUSE, SLOW, FILL -> 3;
        };
    int most = action == FaultAction.CUT || action == FaultAction.SLOW ? least + 1 : least;
    if (what.size() < least || what.size() > most) {
      throw problem("the form is " + form(action));
    }
  }

  private static String form(FaultAction action) {
    return switch (action) {
          case KILL, STOP -> action.word() + ":TARGET";
          case PAUSE -> "pause:TARGET:DURATION";
          case CUT -> "cut:A-B or cut:A-B:DURATION";
          case SLOW -> "slow:A-B:DELAY or slow:A-B:DELAY:DURATION";
          case CORRUPT -> "corrupt:row=N or corrupt:server-1";
          case FILL -> "fill:TARGET:BYTES";
        }
        + ", then @WHEN";
  }

  private FaultTarget link(String word) {
    Matcher link = LINK.matcher(word);
    if (!link.matches()) {
      throw problem("'" + word + "' is no link; name both ends, such as server-0-server-3");
    }
    NodeId one = node(link.group(1)).orElseThrow();
    NodeId other = node(link.group(2)).orElseThrow();
    if (one.equals(other)) {
      throw problem("a link has two ends, not twice " + one);
    }
    return new FaultTarget.Link(one, other);
  }

  private FaultTarget target(String word, FaultAction action) {
    Optional<NodeId> node = node(word);
    if (node.isPresent()) {
      if (action == FaultAction.CORRUPT && node.get().role() != NodeId.Role.SERVER) {
        throw problem("only servers store rows");
      }
      return new FaultTarget.Node(node.get());
    }
    Matcher row = ROW.matcher(word);
    if (row.matches() && row.group(1).equals("row") == (action == FaultAction.CORRUPT)) {
      long number = Long.parseLong(row.group(2));
      return row.group(1).equals("holder-of-row")
          ? new FaultTarget.HolderOfRow(number)
          : new FaultTarget.OwnerOfRow(number);
    }
    if (action != FaultAction.CORRUPT && word.equals("coordinator")) {
      return new FaultTarget.Coordinator();
    }
    if (action != FaultAction.CORRUPT && word.equals("spare")) {
      return new FaultTarget.Spare();
    }
    throw problem(
        "'"
            + word
            + (action == FaultAction.CORRUPT
                ? "' is nothing to damage; name row=17 or server-1"
                : "' is no target; name server-1, worker-0, owner-of-row=17, holder-of-row=17,"
                    + " coordinator or spare"));
  }

  private static Optional<NodeId> node(String word) {
    Matcher node = NODE.matcher(word);
    if (!node.matches()) {
      return Optional.empty();
    }
    int index = Integer.parseInt(node.group(2));
    return Optional.of(
        node.group(1).equals("server") ? NodeId.server(index) : NodeId.worker(index));
  }

  private FaultTrigger trigger(String when) {
    FaultTrigger.Kind kind = null;
    double value = 0;
    Optional<InjectionPoint> phase = Optional.empty();
    for (String condition : when.split(",", -1)) {
      int equals = condition.indexOf('=');
      String key = equals < 0 ? condition : condition.substring(0, equals);
      String word = equals < 0 ? "" : condition.substring(equals + 1);
      boolean known = List.of("iteration", "time", "progress", "phase").contains(key);
      if (!known || word.isEmpty()) {
        throw problem(
            "'"
                + condition
                + "' is no time; say iteration=200, time=12s, progress=1/3 or phase="
                + InjectionPoint.COMMITTING.word());
      }
      if (key.equals("phase") ? phase.isPresent() : kind != null) {
        throw problem("one time is enough, and one phase after it");
      }
      switch (key) {
        case "iteration" -> {
          kind = FaultTrigger.Kind.ITERATION;
          value = whole(word);
        }
        case "time" -> {
          kind = FaultTrigger.Kind.TIME;
          value = nanos(word);
        }
        case "progress" -> {
          kind = FaultTrigger.Kind.PROGRESS;
          value = share(word);
        }
        default -> phase = Optional.of(phase(word));
      }
    }
    return new FaultTrigger(kind == null ? FaultTrigger.Kind.START : kind, value, phase);
  }

  private InjectionPoint phase(String word) {
    return Arrays.stream(InjectionPoint.values())
        .filter(point -> point.word().equals(word))
        .findFirst()
        .orElseThrow(() -> problem("'" + word + "' is no phase; there are " + PHASES));
  }

  private long whole(String word) {
    if (!word.matches("\\d{1,18}")) {
      throw problem("'" + word + "' is no whole number");
    }
    return Long.parseLong(word);
  }

  private double share(String word) {
    Matcher fraction = FRACTION.matcher(word);
    double share = Double.NaN;
    if (fraction.matches()) {
      share = Double.parseDouble(fraction.group(1)) / Double.parseDouble(fraction.group(2));
    } else if (word.matches("\\d*\\.?\\d+")) {
      share = new BigDecimal(word).doubleValue();
    }
    if (!(share >= 0 && share <= 1)) {
      throw problem("'" + word + "' is no share from 0 to 1, such as 1/3 or 0.5");
    }
    return share;
  }

  private long nanos(String word) {
    try {
      long nanos = value(word).getDuration("v").toNanos();
      if (nanos >= 0) {
        return nanos;
      }
    } catch (ConfigException | ArithmeticException e) {
      // Told below.
    }
    throw problem("'" + word + "' is no duration, such as 800ms or 2s");
  }

  private long bytes(String word) {
    try {
      long bytes = value(word).getMemorySize("v").toBytes();
      if (bytes > 0) {
        return bytes;
      }
    } catch (ConfigException | ArithmeticException e) {
      // Told below.
    }
    throw problem("'" + word + "' is no size, such as 512MiB");
  }

  private static Config value(String word) {
    return ConfigFactory.parseMap(Map.of("v", word));
  }

  private FaultSpecException problem(String sentence) {
    return new FaultSpecException(text, sentence);
  }
}
