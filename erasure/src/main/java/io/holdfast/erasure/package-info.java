/** Erasure codes over bytes: encode, decode, update by difference. Knows nothing of servers. */
package io.holdfast.erasure;
