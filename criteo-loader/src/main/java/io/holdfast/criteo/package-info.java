/** Criteo-format lines to batches: reading by byte ranges, id mapping, bad lines, the cache. */
package io.holdfast.criteo;
