/** What keeps rows and NN shards redundant on other servers. */
package io.holdfast.server.redundancy;
