/** The actor that registers a server at the coordinator and owns its agent. */
package io.holdfast.server.control;
