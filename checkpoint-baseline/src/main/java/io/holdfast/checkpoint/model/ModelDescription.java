package io.holdfast.checkpoint.model;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.OptimizerSpec;
import java.time.Instant;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * What must be known of a model besides its parameters to use it or to train it further.
 *
 * @param model its shape
 * @param optimizer for rows; {@link OptimizerSpec#forNn} for the NN
 * @param seed of initial values: rows that were never updated are not saved but computed
 * @param idMapping how categories become rows
 * @param holdfastVersion the program that saves
 * @param created when the model was saved
 * @param settings free-form, for people and for the launcher; kept in the order of their keys
 */
public record ModelDescription(
    ModelSpec model,
    OptimizerSpec optimizer,
    long seed,
    IdMappingKind idMapping,
    String holdfastVersion,
    Instant created,
    Map<String, String> settings) {

  public ModelDescription {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(optimizer, "optimizer");
    Objects.requireNonNull(idMapping, "idMapping");
    Objects.requireNonNull(holdfastVersion, "holdfastVersion");
    Objects.requireNonNull(created, "created");
    settings = Collections.unmodifiableSortedMap(new TreeMap<>(settings));
  }

  /** The description of the model that a job trains. */
  public static ModelDescription of(
      JobSpec job, String holdfastVersion, Instant created, Map<String, String> settings) {
    return new ModelDescription(
        job.model(),
        job.optimizer(),
        job.seed(),
        job.data().hashIds() ? IdMappingKind.HASH : IdMappingKind.MODULO,
        holdfastVersion,
        created,
        settings);
  }
}
