package io.holdfast.checkpoint.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.DataSpec;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.LearningRate;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.job.SyncMode;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ModelDescriptionTest {
  @Test
  void shouldTakeWhatTheJobTrains() {
    for (boolean hashIds : new boolean[] {true, false}) {
      Instant now = Instant.EPOCH;
      TestModel tiny = TestModel.tiny();
      ModelDescription expected =
          new ModelDescription(
              tiny.spec(),
              tiny.optimizer(),
              77,
              hashIds ? IdMappingKind.HASH : IdMappingKind.MODULO,
              "1.2",
              now,
              Map.of("a", "b"));
      assertEquals(expected, ModelDescription.of(job(tiny, hashIds), "1.2", now, Map.of("a", "b")));
    }
  }

  private static JobSpec job(TestModel tiny, boolean hashIds) {
    DataSpec data = new DataSpec(List.of("f"), List.of(), hashIds, 0, "");
    return new JobSpec(
        tiny.spec(),
        tiny.optimizer(),
        LearningRate.constant(0.1f),
        77,
        3,
        2,
        Redundancy.NONE,
        CommitMode.TWO_PHASE,
        1024,
        16,
        SyncMode.ASYNC,
        0,
        false,
        2,
        "nd4j",
        1,
        1 << 20,
        1_000_000,
        1 << 16,
        data);
  }
}
