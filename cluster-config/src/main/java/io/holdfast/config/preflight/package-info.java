/** What a host must offer for a job, checked before anything starts. */
package io.holdfast.config.preflight;
