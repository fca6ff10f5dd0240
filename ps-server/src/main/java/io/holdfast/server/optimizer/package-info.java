/** Optimizers as kernels over native memory; same bytes on every machine. */
package io.holdfast.server.optimizer;
