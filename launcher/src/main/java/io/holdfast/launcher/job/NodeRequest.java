package io.holdfast.launcher.job;

import io.holdfast.config.placement.NodeId;
import io.holdfast.config.settings.LaunchSettings;
import java.util.OptionalInt;

/**
 * A server or worker to be, in a process of its own.
 *
 * @param role which
 * @param index the index that it would like
 * @param launch where the cluster is and how data links are opened; the job comes from the
 *     coordinator
 */
public record NodeRequest(NodeId.Role role, OptionalInt index, LaunchSettings launch) {}
