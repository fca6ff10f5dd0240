/**
 * The control plane's messages: few, small, over Akka. State machines see them as plain values;
 * only {@link io.holdfast.config.control.Register} and {@link
 * io.holdfast.config.control.DescribeJob} name an actor.
 */
package io.holdfast.config.control;
