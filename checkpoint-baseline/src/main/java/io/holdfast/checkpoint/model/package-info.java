/** Saved models: a directory with a manifest and checksums. The bytes: docs/model-format.md. */
package io.holdfast.checkpoint.model;
