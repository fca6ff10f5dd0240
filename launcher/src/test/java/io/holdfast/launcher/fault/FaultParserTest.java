package io.holdfast.launcher.fault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.fault.InjectionPoint;
import io.holdfast.config.placement.NodeId;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FaultParserTest {
  @Test
  void shouldReadAKillAtAnIteration() {
    FaultSpec fault = FaultParser.parse("kill:server-1@iteration=200");
    assertEquals(FaultAction.KILL, fault.action());
    assertEquals(new FaultTarget.Node(NodeId.server(1)), fault.target());
    assertEquals(
        new FaultTrigger(FaultTrigger.Kind.ITERATION, 200, Optional.empty()), fault.trigger());
  }

  @Test
  void shouldReadAPauseInAPhase() {
    FaultSpec fault = FaultParser.parse("pause:worker-2:800ms@phase=committing");
    assertEquals(FaultAction.PAUSE, fault.action());
    assertEquals(new FaultTarget.Node(NodeId.worker(2)), fault.target());
    assertEquals(OptionalLong.of(800_000_000), fault.durationNanos());
    assertEquals(FaultTrigger.Kind.START, fault.trigger().kind());
    assertEquals(Optional.of(InjectionPoint.COMMITTING), fault.trigger().phase());
  }

  @Test
  void shouldReadAPhaseAfterAShareOfTheJob() {
    FaultTrigger trigger =
        FaultParser.parse("stop:holder-of-row=7@progress=1/4,phase=applying").trigger();
    assertEquals(FaultTrigger.Kind.PROGRESS, trigger.kind());
    assertEquals(0.25, trigger.value());
    assertEquals(Optional.of(InjectionPoint.APPLYING), trigger.phase());
  }

  @Test
  void shouldReadLinksThatFail() {
    FaultSpec cut = FaultParser.parse("cut:server-0-server-3@time=12s");
    assertEquals(new FaultTarget.Link(NodeId.server(0), NodeId.server(3)), cut.target());
    assertEquals(OptionalLong.empty(), cut.durationNanos());
    assertEquals(12e9, cut.trigger().value());
    FaultSpec slow = FaultParser.parse("slow:worker-0-server-3:20ms:2s@time=500ms");
    assertEquals(20_000_000, slow.delayNanos());
    assertEquals(OptionalLong.of(2_000_000_000), slow.durationNanos());
  }

  @Test
  void shouldReadDamage() {
    FaultSpec row = FaultParser.parse("corrupt:row=17@iteration=5");
    assertEquals(new FaultTarget.OwnerOfRow(17), row.target());
    assertEquals(OptionalLong.of(17), row.row());
    assertEquals(OptionalLong.empty(), FaultParser.parse("corrupt:server-1@iteration=5").row());
    assertEquals(512L << 20, FaultParser.parse("fill:server-1:512MiB@progress=0.5").bytes());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "kill:server-1 | must be ACTION:TARGET@WHEN",
        "kill:server-1@time=1s@time=2s | must be ACTION:TARGET@WHEN",
        "murder:server-1@time=1s | 'murder' is no action; there are kill, stop, pause",
        "kill@time=1s | kill of whom? Form: kill:TARGET",
        "kill:server@time=1s | 'server' is no target; name server-1",
        "kill:row=3@time=1s | 'row=3' is no target",
        "kill:server-1:2s@time=1s | the form is kill:TARGET, then @WHEN",
        "pause:server-1@time=1s | the form is pause:TARGET:DURATION",
        "pause:server-1:long@time=1s | 'long' is no duration, such as 800ms",
        "cut:server-1@time=1s | 'server-1' is no link; name both ends, such as",
        "cut:server-1-server-1@time=1s | a link has two ends, not twice server-1",
        "corrupt:worker-0@time=1s | only servers store rows",
        "corrupt:spare@time=1s | is nothing to damage; name row=17 or server-1",
        "fill:server-1:much@time=1s | 'much' is no size, such as 512MiB",
        "kill:server-1@200 | '200' is no time; say iteration=200",
        "kill:server-1@iteration=x | 'x' is no whole number",
        "kill:server-1@progress=4/3 | '4/3' is no share from 0 to 1",
        "kill:server-1@progress=1/0 | '1/0' is no share from 0 to 1",
        "kill:server-1@phase=sleeping | 'sleeping' is no phase; there are staged, committing",
        "kill:server-1@time=1s,iteration=2 | one time is enough, and one phase",
      })
  void shouldSayWhatIsWrongAndWhatWouldBeRight(String text, String expected) {
    FaultSpecException e = assertThrows(FaultSpecException.class, () -> FaultParser.parse(text));
    assertTrue(e.getMessage().startsWith("--fault " + text + ": "), e.getMessage());
    assertTrue(e.getMessage().contains(expected), e.getMessage());
  }
}
