/**
 * The DLRM's dense part: bottom MLP, interaction, top MLP, loss and their gradients, behind {@link
 * io.holdfast.worker.dense.DenseEngine}. The only package that knows ND4J and DL4J.
 */
package io.holdfast.worker.dense;
