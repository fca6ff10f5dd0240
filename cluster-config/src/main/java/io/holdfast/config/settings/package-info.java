/**
 * Settings: read, checked as a whole before anything starts, and turned into a job's description.
 * Keys, defaults and units stand in {@code holdfast-reference.conf}.
 */
package io.holdfast.config.settings;
