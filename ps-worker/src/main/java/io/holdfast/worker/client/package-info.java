/** Reads a trained model from the servers: for evaluation, saving and digests. */
package io.holdfast.worker.client;
