/**
 * A worker: reads batches, pulls rows and NN shards, computes gradients, and coordinates the
 * transaction that pushes them. {@link io.holdfast.worker.WorkerCore} is the state machine; the
 * threads around it live in {@link io.holdfast.worker.WorkerAgent}, {@link
 * io.holdfast.worker.BatchPreparer} and {@link io.holdfast.worker.DenseRunner}.
 */
package io.holdfast.worker;
