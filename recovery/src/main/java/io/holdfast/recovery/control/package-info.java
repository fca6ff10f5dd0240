/** The coordinator's actor: a thin shell around the state machine. */
package io.holdfast.recovery.control;
