/** Where rows, parities and NN shards live, and who is alive: nodes, epochs, the stripe map. */
package io.holdfast.config.placement;
