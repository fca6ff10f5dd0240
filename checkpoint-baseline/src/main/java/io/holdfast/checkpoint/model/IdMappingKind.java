package io.holdfast.checkpoint.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/** How categories became rows. A model scores only what is mapped as it was in training. */
public enum IdMappingKind {
  @JsonProperty("hash")
  HASH,
  @JsonProperty("modulo")
  MODULO
}
