package io.holdfast.config.settings;

import java.util.List;

/**
 * How processes find one another. How many they are is the job's: {@code JobSpec}.
 *
 * @param processes true: every server and worker is a process of its own on this host
 * @param host under which the other processes reach this one
 * @param port of the control plane; 0: any free one
 * @param seeds {@code host:port} of members; empty: this process starts the cluster
 * @param failurePauseNanos silence after which a process is suspected
 * @param joinTimeoutNanos within which all must have joined
 * @param standby servers that wait to take a lost one's place
 * @param restart whether a server process that ends is started again, where this process starts
 *     them
 */
public record ClusterSettings(
    boolean processes,
    String host,
    int port,
    List<String> seeds,
    long failurePauseNanos,
    long joinTimeoutNanos,
    int standby,
    boolean restart) {}
