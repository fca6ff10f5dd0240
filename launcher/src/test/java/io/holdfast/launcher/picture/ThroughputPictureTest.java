package io.holdfast.launcher.picture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.launcher.report.Fault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ThroughputPictureTest {
  private static final List<ThroughputRecorder.Rate> RATES =
      List.of(
          new ThroughputRecorder.Rate(0.5, 1000),
          new ThroughputRecorder.Rate(1.0, 200),
          new ThroughputRecorder.Rate(1.5, 900));
  private static final List<Fault> FAULTS =
      List.of(
          new Fault(
              "server-died",
              "server-3",
              0.8,
              Optional.empty(),
              60,
              300,
              Double.NaN,
              Optional.of(5L),
              Optional.empty(),
              1000,
              700,
              Double.NaN),
          Fault.thatDidNotHappen("kill:server-1@time=9s", "server-1"));

  @Test
  void shouldDrawThroughputAndFaults(@TempDir Path directory) throws IOException {
    Path svg = directory.resolve("p.svg");
    ThroughputPicture.write(svg, RATES, "samples", FAULTS);
    String drawn = Files.readString(svg);
    assertTrue(drawn.contains("samples per second"), drawn);
    assertTrue(drawn.contains("server-died server-3"), drawn);
    assertFalse(drawn.contains("did-not-happen"), drawn);
    Path png = directory.resolve("p.png");
    ThroughputPicture.write(png, RATES, "samples", FAULTS);
    assertEquals(1000, ImageIO.read(png.toFile()).getWidth());
  }

  @Test
  void shouldKnowPicturesByTheirNames() {
    assertTrue(ThroughputPicture.canWrite(Path.of("a.SVG")));
    assertTrue(ThroughputPicture.canWrite(Path.of("a.png")));
    assertFalse(ThroughputPicture.canWrite(Path.of("a.gif")));
  }
}
