/**
 * The coordinator and, later, the failure state machine: pure state machines, messages in, effects
 * out, time as a parameter. Akka is in {@code control} only.
 */
package io.holdfast.recovery;
