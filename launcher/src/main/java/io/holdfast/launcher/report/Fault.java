package io.holdfast.launcher.report;

/**
 * A failure that the job survived.
 *
 * @param event what happened: {@code worker-died}, {@code server-died}
 * @param node to whom: {@code worker-1}
 * @param atSeconds when, since training began
 */
public record Fault(String event, String node, double atSeconds) {}
