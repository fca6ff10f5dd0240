/** Parameters in off-heap memory: this server's rows and NN shards. */
package io.holdfast.server.storage;
