package io.holdfast.server;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.ServerControl;
import io.holdfast.config.fault.FaultPoints;
import io.holdfast.config.fault.InjectionPoint;
import io.holdfast.config.fault.ProcessFaults;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.transport.DataLink;
import io.holdfast.config.transport.Endpoint;
import io.holdfast.config.transport.EndpointCounters;
import io.holdfast.config.transport.MessageHandler;
import io.holdfast.server.storage.MemorySettings;
import java.util.function.Consumer;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentTerminationException;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.ManyToOneConcurrentLinkedQueue;
import org.agrona.concurrent.NanoClock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The duty cycle that drives a {@link ServerCore}: send what waited, handle what arrived, obey the
 * coordinator. Run it by an {@link org.agrona.concurrent.AgentRunner} with {@link #idleStrategy},
 * or step by step in a test. Owns the link from construction and closes it with the core in {@link
 * #onClose}. Any exception ends it: values may be wrong.
 */
public final class ServerAgent implements Agent {
  private static final Logger LOG = LoggerFactory.getLogger(ServerAgent.class);

  /** Frames in one duty cycle, so that the coordinator does not wait long. */
  private static final int POLL_LIMIT = 64;

  private final ServerControl.StartServer start;
  private final DataLink link;
  private final Endpoint endpoint;
  private final MemorySettings memory;
  private final NanoClock clock;
  private final Consumer<ControlMessage> coordinator;
  private final Consumer<Throwable> failed;
  private final MessageHandler handler = this::onMessage;
  private final ManyToOneConcurrentLinkedQueue<ControlMessage> commands =
      new ManyToOneConcurrentLinkedQueue<>();
  private ServerCore core;

  /**
   * A server that is not started yet.
   *
   * @param start tells who it is and what to serve
   * @param incarnation of this process
   * @param endpoint where peers reach the link
   * @param coordinator gets answers, on the agent's thread
   * @param failed gets what ended the agent, on its thread
   */
  public ServerAgent(
      ServerControl.StartServer start,
      long incarnation,
      String endpoint,
      DataLink link,
      MemorySettings memory,
      NanoClock clock,
      Consumer<ControlMessage> coordinator,
      Consumer<Throwable> failed) {
    this.start = start;
    this.link = link;
    this.endpoint = new Endpoint(new Member(start.self(), incarnation, endpoint), link);
    this.memory = memory;
    this.clock = clock;
    this.coordinator = coordinator;
    this.failed = failed;
  }

  /** Hands over a control message; any thread. */
  public void submit(ControlMessage message) {
    commands.add(message);
    link.wakeUp();
  }

  /** Ends a wait, so that a stop is seen at once; any thread. */
  public void wakeUp() {
    link.wakeUp();
  }

  /** Bytes and refusals of the data plane; any thread. */
  public EndpointCounters counters() {
    return endpoint.counters();
  }

  @Override
  public String roleName() {
    return start.self().toString();
  }

  /** Allocates, joins the data plane and tells the coordinator. */
  @Override
  public void onStart() {
    guard(
        () -> {
          core = core(start.map());
          if (core.longestMessageBytes() > endpoint.maxFrameBytes()) {
            throw new IllegalStateException(
                "a message can have "
                    + core.longestMessageBytes()
                    + " bytes, the link carries "
                    + endpoint.maxFrameBytes()
                    + ": use smaller NN shards or a longer frame limit");
          }
          endpoint.adopt(start.map());
          tellReady();
          return 0;
        });
  }

  private ServerCore core(PlacementMap map) {
    return new ServerCore(
        start.self(), start.job(), map, memory, endpoint, coordinator, endpoint.counters());
  }

  private void tellReady() {
    coordinator.accept(new ServerControl.ServerReady(start.self(), core.reservedBytes()));
  }

  @Override
  public int doWork() {
    return guard(
        () -> {
          int work = endpoint.drain();
          work += endpoint.poll(handler, POLL_LIMIT);
          for (ControlMessage command; (command = commands.poll()) != null; work++) {
            onCommand(command);
          }
          core.flush();
          core.tick(clock.nanoTime());
          if (FaultPoints.ON) {
            ProcessFaults.takeCorruption().ifPresent(row -> RowDamage.inflict(start, core, row));
          }
          return work;
        });
  }

  private void onMessage(NodeId from, DataMessage message) {
    core.onMessage(from, message, clock.nanoTime());
  }

  private void onCommand(ControlMessage command) {
    switch (command) {
      case ServerControl.StartServer repeated -> tellReady();
      case ServerControl.AdoptEpoch m -> {
        FaultPoints.reached(InjectionPoint.EPOCH);
        if (core.mustBeginAnew(m.map())) {
          core.close();
          core = core(m.map());
        }
        endpoint.adopt(m.map());
        core.onControl(m, clock.nanoTime());
      }
      default -> core.onControl(command, clock.nanoTime());
    }
  }

  private interface Work {
    int run();
  }

  private int guard(Work work) {
    try {
      return work.run();
    } catch (Throwable e) {
      LOG.error("{} cannot go on", start.self(), e);
      failed.accept(e);
      throw new AgentTerminationException(e);
    }
  }

  /** Gives back memory and link. */
  @Override
  public void onClose() {
    if (core != null) {
      core.close();
    }
    endpoint.close();
  }

  /** Waits on the link. */
  public IdleStrategy idleStrategy() {
    return new IdleStrategy() {
      @Override
      public void idle(int workCount) {
        endpoint.idle(workCount);
      }

      @Override
      public void idle() {
        endpoint.idle(0);
      }

      @Override
      public void reset() {
        // Keeps no state.
      }
    };
  }
}
