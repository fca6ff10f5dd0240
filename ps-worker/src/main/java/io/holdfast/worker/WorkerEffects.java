package io.holdfast.worker;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.protocol.Outbox;

/** What the worker's state machine makes happen. */
interface WorkerEffects extends Outbox {
  /** Sends a message to the coordinator. */
  void control(ControlMessage message);

  /** Begins to read and plan a batch; answered by {@link WorkerCore#onRead}. */
  void read(Iteration iteration, LeaseTracker lease);

  /** Begins the dense step; answered by {@link WorkerCore#onComputed}. */
  void compute(Iteration iteration);

  /** The worker cannot go on. */
  void fail(FailureKind kind, String reason);

  /** Everything is done. Said once; whoever passes it on repeats it until the job is over. */
  void finished();
}
