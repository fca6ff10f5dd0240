package io.holdfast.config.control;

import akka.actor.typed.ActorRef;

/**
 * A process that does not know the job yet asks the coordinator for it. Answered by {@link
 * JobControl.JobDescribed}; repeated until then.
 *
 * @param replyTo gets the answer
 */
public record DescribeJob(ActorRef<ControlMessage> replyTo) implements ControlMessage {}
