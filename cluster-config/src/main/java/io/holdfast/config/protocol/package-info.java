/**
 * The data plane's messages and their form on the wire. The protocol is told as prose in {@code
 * src/main/sbe/data-plane.xml}.
 */
package io.holdfast.config.protocol;
