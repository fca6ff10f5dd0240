package io.holdfast.config.control;

import akka.actor.typed.ActorRef;
import io.holdfast.config.placement.NodeId;

/**
 * A process offers itself to the coordinator. Repeated until {@link Registered} or {@link
 * RegistrationRefused} answers.
 *
 * @param role what it can be
 * @param preferredIndex the index it would like, or -1
 * @param incarnation drawn at random when the process started
 * @param endpoint {@code host:port} of its data link; empty inside one host
 * @param pid of the process, for people and for fault injection
 * @param actor gets the coordinator's messages
 */
public record Register(
    NodeId.Role role,
    int preferredIndex,
    long incarnation,
    String endpoint,
    long pid,
    ActorRef<ControlMessage> actor)
    implements ControlMessage {}
