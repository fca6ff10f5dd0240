package io.holdfast.launcher.control;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.Terminated;
import akka.actor.typed.javadsl.Behaviors;
import io.holdfast.config.control.ControlMessage;
import java.util.concurrent.CompletableFuture;

/** Runs one node's actor and tells when it has stopped. */
final class NodeGuardian {
  private NodeGuardian() {}

  static Behavior<ControlMessage> create(
      Behavior<ControlMessage> node, CompletableFuture<Void> stopped) {
    return Behaviors.setup(
        context -> {
          ActorRef<ControlMessage> child = context.spawn(node, "node");
          context.watch(child);
          return Behaviors.receive(ControlMessage.class)
              .onSignal(
                  Terminated.class,
                  terminated -> {
                    stopped.complete(null);
                    return Behaviors.stopped();
                  })
              .build();
        });
  }
}
