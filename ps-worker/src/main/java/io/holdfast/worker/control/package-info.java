/** The worker on the control plane. */
package io.holdfast.worker.control;
