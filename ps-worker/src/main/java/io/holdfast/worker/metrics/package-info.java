/** How good a model is: exact on held-out data, estimated while it trains. */
package io.holdfast.worker.metrics;
