package io.holdfast.system.sim;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.ServerControl;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.Envelope;
import io.holdfast.config.protocol.Outbox;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.PeerMessage;
import io.holdfast.config.protocol.PeerMessage.Deltas;
import io.holdfast.config.protocol.PeerMessage.ForwardRange;
import io.holdfast.config.protocol.PeerMessage.ForwardShard;
import io.holdfast.config.protocol.PeerMessage.StreamAck;
import io.holdfast.config.protocol.PeerMessage.StreamItem;
import io.holdfast.config.protocol.StreamPosition;
import io.holdfast.config.protocol.TxHeader;
import io.holdfast.config.protocol.TxId;
import io.holdfast.config.transport.MessageHandler;
import io.holdfast.server.optimizer.Optimizer;
import io.holdfast.server.storage.RefusedException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Typical bugs of such protocols, planted between a core and its surroundings: production code
 * knows nothing of them, and behaves as code with that bug would.
 */
enum PlantedBug {
  /** An origin loses an item and numbers the next ones as if it had not been. */
  SKIP_A_DIFFERENCE("an item of a stream is lost, the numbers have no gap") {
    @Override
    Seams seams() {
      return new SkippingOrigin(false);
    }
  },

  /** As the former, but gradients of NN shards: no row's counter tells. */
  SKIP_AN_NN_GRADIENT("a gradient is not forwarded to the backups") {
    @Override
    Seams seams() {
      return new SkippingOrigin(true);
    }
  },

  /** A server applies what it was asked to stage, before anybody has decided. */
  APPLY_ON_STAGE("a part is applied when it is staged") {
    @Override
    Seams seams() {
      return new Seams() {
        @Override
        void serverGets(SimServer server, NodeId from, DataMessage message, MessageHandler core) {
          core.onMessage(from, message);
          if (message instanceof DataMessage.Stage stage
              && stage.header().owner() == server.index()
              && stage.header().part() == stage.header().parts() - 1) {
            core.onMessage(
                from, new DataMessage.Commit(stage.header().tx(), stage.header().owner(), 0));
          }
        }
      };
    }
  },

  /** Differences cover the weights only. */
  FORGET_THE_STATE("differences leave out the optimizer state") {
    @Override
    Seams seams() {
      return new Seams() {
        @Override
        void serverSends(SimServer server, NodeId to, DataMessage message, Outbox endpoint) {
          if (message instanceof Deltas deltas && !deltas.packed()) {
            int rowBytes = server.core().rows().layout().rowBytes();
            int weightBytes = server.core().rows().layout().weightBytes();
            MemorySegment values = copy(deltas.values());
            for (long at = 0; at < values.byteSize(); at += rowBytes) {
              values.asSlice(at + weightBytes, (long) rowBytes - weightBytes).fill((byte) 0);
            }
            endpoint.send(to, with(deltas, deltas.position(), values));
          } else {
            endpoint.send(to, message);
          }
        }
      };
    }
  },

  /** A server does not wait for its holders. */
  ACKNOWLEDGE_BEFORE_PARITY("Applied is answered before the holders have acknowledged") {
    @Override
    Seams seams() {
      return new Seams() {
        @Override
        void applied(SimServer server, TxId tx) {
          server.endpoint().send(tx.worker(), new DataMessage.Applied(tx, server.index()));
        }
      };
    }
  },

  /** A holder says that it has folded what it then loses. */
  ACKNOWLEDGE_BEFORE_FOLD("a holder acknowledges an item that it has not taken") {
    @Override
    Seams seams() {
      return new Seams() {
        private int items;

        @Override
        void serverGets(SimServer server, NodeId from, DataMessage message, MessageHandler core) {
          if (message instanceof Deltas deltas && ++items % 40 == 0) {
            server.endpoint().send(from, new StreamAck(deltas.position().number(), false));
          } else {
            core.onMessage(from, message);
          }
        }
      };
    }
  },

  /** A holder acknowledges the highest number that it has seen. */
  ACKNOWLEDGE_THE_HIGHEST("a holder acknowledges beyond a gap") {
    @Override
    Seams seams() {
      return new Seams() {
        private final Map<List<Object>, Long> highest = new HashMap<>();

        @Override
        void serverGets(SimServer server, NodeId from, DataMessage message, MessageHandler core) {
          if (message instanceof StreamItem item) {
            highest.merge(List.of(server.index(), from), item.position().number(), Math::max);
          }
          core.onMessage(from, message);
        }

        @Override
        void serverSends(SimServer server, NodeId to, DataMessage message, Outbox endpoint) {
          endpoint.send(
              to,
              message instanceof StreamAck
                  ? new StreamAck(highest.get(List.of(server.index(), to)), false)
                  : message);
        }
      };
    }
  },

  /** The origin tells holders at once that nobody lacks what it sends. */
  LOSE_THE_TAIL("holders forget differences that others may lack") {
    @Override
    Seams seams() {
      return new Seams() {
        @Override
        void serverSends(SimServer server, NodeId to, DataMessage message, Outbox endpoint) {
          if (message instanceof StreamItem item) {
            StreamPosition at = item.position();
            endpoint.send(
                to, with(item, new StreamPosition(at.number(), at.ordinal(), at.ordinal())));
          } else {
            endpoint.send(to, message);
          }
        }
      };
    }
  },

  /** A holder does not look at the numbers. */
  FOLD_DUPLICATES("an item that comes twice is taken twice") {
    @Override
    Seams seams() {
      return new Seams() {
        private final Map<List<Object>, Long> taken = new HashMap<>();

        @Override
        void serverGets(SimServer server, NodeId from, DataMessage message, MessageHandler core) {
          if (message instanceof StreamItem item) {
            long next = taken.merge(List.of(server.index(), from), 1L, Long::sum);
            StreamPosition at = item.position();
            core.onMessage(from, with(item, new StreamPosition(next, at.ordinal(), at.stable())));
          } else {
            core.onMessage(from, message);
          }
        }
      };
    }
  },

  /** A worker tells that all its older transactions are applied everywhere. */
  WATERMARK_AHEAD("records are forgotten before all have answered") {
    @Override
    Seams seams() {
      return new Seams() {
        @Override
        void workerSends(SimWorker worker, NodeId to, DataMessage message, Outbox endpoint) {
          endpoint.send(
              to,
              switch (message) {
                case DataMessage.StageRows m ->
                    new DataMessage.StageRows(
                        ahead(m.header()), m.participants(), m.rows(), m.gradients());
                case DataMessage.StageShard m ->
                    new DataMessage.StageShard(
                        ahead(m.header()), m.participants(), m.shard(), m.gradients());
                default -> message;
              });
        }

        private TxHeader ahead(TxHeader h) {
          return new TxHeader(
              h.tx(),
              h.tx().sequence() - 1,
              h.learningRate(),
              h.owner(),
              h.range(),
              h.part(),
              h.parts());
        }
      };
    }
  },

  /** A backup applies a gradient that comes again. */
  NN_GRADIENT_TWICE("a backup applies a gradient twice, without counting") {
    @Override
    Seams seams() {
      return new Seams() {
        private final Set<List<Object>> seen = new HashSet<>();

        @Override
        void serverGets(SimServer server, NodeId from, DataMessage message, MessageHandler core) {
          core.onMessage(from, message);
          if (message instanceof ForwardShard m
              && !seen.add(List.of(server.index(), from, m.shard(), m.version()))) {
            again(server, from.index(), m);
          }
        }

        private void again(SimServer server, int primary, ForwardShard m) {
          try {
            Optimizer.of(server.cluster.scenario().job().optimizer().forNn())
                .update(
                    server.core().nn().replica(primary, m.shard()),
                    0,
                    server.cluster.shards.length(m.shard()),
                    m.gradients().segment(),
                    0,
                    m.learningRate(),
                    m.version().counter());
          } catch (RefusedException e) {
            throw new IllegalStateException(e);
          }
        }
      };
    }
  },

  /** A primary sends a gradient under its successor's number. */
  NN_GRADIENTS_SWAPPED("a backup applies two gradients in the wrong order") {
    @Override
    Seams seams() {
      return new Seams() {
        private final Map<List<Object>, MemorySegment> last = new HashMap<>();

        @Override
        void serverSends(SimServer server, NodeId to, DataMessage message, Outbox endpoint) {
          if (message instanceof ForwardShard m) {
            long counter = m.version().counter();
            List<Object> stream = List.of(server.index(), to, m.shard());
            List<Object> key = List.of(stream, counter);
            MemorySegment own = last.computeIfAbsent(key, k -> copy(m.gradients()));
            // An even one gets its predecessor's gradient.
            MemorySegment other = counter % 2 == 0 ? last.get(List.of(stream, counter - 1)) : own;
            endpoint.send(
                to,
                new ForwardShard(
                    m.position(),
                    m.tx(),
                    m.watermark(),
                    m.shard(),
                    m.version(),
                    m.learningRate(),
                    Payload.of(other)));
          } else {
            endpoint.send(to, message);
          }
        }
      };
    }
  },

  /** A server answers the question after a dead worker, and goes on obeying it. */
  OBEY_THE_DEAD("frames of a stale epoch are taken: a fenced worker still commits") {
    @Override
    Seams seams() {
      return new Seams() {
        private SimCluster cluster;
        private List<Member> before = List.of();

        @Override
        void serverIsTold(SimServer server, ControlMessage message, Consumer<ControlMessage> core) {
          if (server.index() == 0 && message instanceof ServerControl.QueryWorker query) {
            List<Long> decided = new ArrayList<>();
            for (TxId tx : server.cluster.history.applied(server.index())) {
              if (tx.incarnation() == query.incarnation()) {
                decided.add(tx.sequence());
              }
            }
            server.tell(
                new ServerControl.WorkerTransactions(
                    NodeId.server(0), query.worker(), query.incarnation(), 0, decided, List.of()));
          } else {
            core.accept(message);
          }
        }

        @Override
        PlacementMap map(SimServer server, PlacementMap map) {
          cluster = server.cluster;
          if (server.index() != 0) {
            return map;
          }
          // Whoever is not there any more stays where nobody has taken its place.
          List<Member> members = new ArrayList<>(map.members());
          for (Member member : before) {
            if (members.stream().noneMatch(m -> m.node().equals(member.node()))) {
              members.add(member);
            }
          }
          before = members;
          return new PlacementMap(map.epoch(), map.sessionKey(), members);
        }

        @Override
        boolean restamps() {
          return true;
        }

        @Override
        Envelope restamp(NodeId to, Envelope e) {
          if (cluster == null || !to.equals(NodeId.server(0))) {
            return e;
          }
          return new Envelope(
              e.sessionKey(),
              cluster.servers().getFirst().endpoint().epoch(),
              e.sender(),
              e.senderIncarnation(),
              e.addressee(),
              e.addresseeIncarnation());
        }
      };
    }
  },

  /** A worker does not wait for the last participants. */
  DECIDE_EARLY("a worker commits before all have staged") {
    @Override
    Seams seams() {
      return new Seams() {
        @Override
        void workerSends(SimWorker worker, NodeId to, DataMessage message, Outbox endpoint) {
          endpoint.send(to, message);
          if (message instanceof DataMessage.Stage stage
              && stage.header().owner() == to.index()
              && stage.header().part() == stage.header().parts() - 1) {
            TxId tx = stage.header().tx();
            worker.cluster.schedule.in(
                1,
                () -> {
                  if (!worker.isDead()) {
                    worker.cluster.history.decided(tx);
                    endpoint.send(to, new DataMessage.Commit(tx, to.index(), 0));
                  }
                });
          }
        }
      };
    }
  },

  /** What a dead worker had decided is dropped by a server that has only staged it. */
  FORGET_LATER_CHANGES("lost rows that change after they were copied are not copied again") {
    @Override
    Seams seams() {
      return new Seams() {
        private final Map<Object, Long> first = new HashMap<>();

        @Override
        void serverSends(SimServer server, NodeId to, DataMessage message, Outbox endpoint) {
          if (message instanceof PeerMessage.CopiedRows m && m.owner() == to.index()) {
            // A new process at the place begins with lower numbers, and then nothing is left out.
            List<Object> row = List.of(server.incarnation, to, firstId(m.rows()));
            if (m.position().number() > first.merge(row, m.position().number(), Math::min)) {
              endpoint.send(to, new PeerMessage.Copied(m.position(), false));
              return;
            }
          }
          endpoint.send(to, message);
        }
      };
    }
  },
  FORGET_THE_RECORDS("a new server is not told what was applied in its place") {
    @Override
    Seams seams() {
      return new Seams() {
        @Override
        void serverSends(SimServer server, NodeId to, DataMessage message, Outbox endpoint) {
          boolean forgotten =
              message instanceof PeerMessage.CopiedRecords m && m.owner() == to.index();
          endpoint.send(
              to,
              forgotten
                  ? new PeerMessage.Copied(((StreamItem) message).position(), false)
                  : message);
        }
      };
    }
  },

  LOSE_THE_LEDGER("a new server is not told which data is committed") {
    @Override
    Seams seams() {
      return new Seams() {
        @Override
        void serverSends(SimServer server, NodeId to, DataMessage message, Outbox endpoint) {
          boolean forgotten =
              message instanceof PeerMessage.CopiedRanges m && m.owner() == to.index();
          endpoint.send(
              to,
              forgotten
                  ? new PeerMessage.Copied(((StreamItem) message).position(), false)
                  : message);
        }
      };
    }
  },

  FORGET_THE_RESOLUTION("a server drops what is to be committed for a dead worker") {
    @Override
    Seams seams() {
      return new Seams() {
        @Override
        void serverIsTold(SimServer server, ControlMessage message, Consumer<ControlMessage> core) {
          core.accept(
              message instanceof ServerControl.ResolveWorker m
                  ? new ServerControl.ResolveWorker(m.worker(), m.incarnation(), List.of())
                  : message);
        }
      };
    }
  };

  private final String words;

  PlantedBug(String words) {
    this.words = words;
  }

  /** In a few words, for the table. */
  String words() {
    return words;
  }

  /** The bug, for one run. */
  abstract Seams seams();

  /** Leaves out an item of a stream now and then. */
  private static final class SkippingOrigin extends Seams {
    private static final int EVERY = 30;

    private final boolean shards;

    /** Per stream: the numbers that were left out. */
    private final Map<List<Object>, List<Long>> skipped = new HashMap<>();

    SkippingOrigin(boolean shards) {
      this.shards = shards;
    }

    @Override
    void serverSends(SimServer server, NodeId to, DataMessage message, Outbox endpoint) {
      if (!(message instanceof StreamItem item)) {
        endpoint.send(to, message);
        return;
      }
      List<Long> out = skipped.computeIfAbsent(List.of(server.index(), to), k -> new ArrayList<>());
      StreamPosition at = item.position();
      boolean mine = shards ? item instanceof ForwardShard : item instanceof Deltas;
      if (mine && at.number() % EVERY == 0 && !out.contains(at.number())) {
        out.add(at.number());
      }
      if (out.contains(at.number())) {
        return;
      }
      long before = out.stream().filter(number -> number < at.number()).count();
      endpoint.send(
          to, with(item, new StreamPosition(at.number() - before, at.ordinal(), at.stable())));
    }

    @Override
    void serverGets(SimServer server, NodeId from, DataMessage message, MessageHandler core) {
      if (!(message instanceof StreamAck ack)) {
        core.onMessage(from, message);
        return;
      }
      // The origin believes that what it left out is acknowledged with what follows or precedes.
      long number = ack.number();
      for (long each : skipped.getOrDefault(List.of(server.index(), from), List.of())) {
        number += each <= number + 1 ? 1 : 0;
      }
      core.onMessage(from, new StreamAck(number, ack.gap()));
    }
  }

  private static long firstId(Payload rows) {
    MemorySegment ids = MemorySegment.ofArray(new byte[(int) rows.lengthBytes()]);
    rows.writeTo(ids, 0);
    return ids.get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
  }

  private static MemorySegment copy(Payload payload) {
    MemorySegment bytes = MemorySegment.ofArray(new byte[(int) payload.lengthBytes()]);
    payload.writeTo(bytes, 0);
    return MemorySegment.ofArray(bytes.toArray(ValueLayout.JAVA_BYTE));
  }

  private static Deltas with(Deltas m, StreamPosition position, MemorySegment values) {
    return new Deltas(
        position, m.tx(), m.watermark(), m.packed(), m.rows(), m.counters(), Payload.of(values));
  }

  private static PeerMessage with(StreamItem item, StreamPosition position) {
    return switch (item) {
      case Deltas m ->
          new Deltas(
              position, m.tx(), m.watermark(), m.packed(), m.rows(), m.counters(), m.values());
      case ForwardShard m ->
          new ForwardShard(
              position,
              m.tx(),
              m.watermark(),
              m.shard(),
              m.version(),
              m.learningRate(),
              m.gradients());
      case ForwardRange m -> new ForwardRange(position, m.tx(), m.watermark(), m.range());
      case PeerMessage.CapturedRows m ->
          new PeerMessage.CapturedRows(position, m.request(), m.rows(), m.counters(), m.values());
      case PeerMessage.CapturedShard m ->
          new PeerMessage.CapturedShard(position, m.request(), m.shard(), m.version(), m.digest());
      case PeerMessage.CopiedRows m ->
          new PeerMessage.CopiedRows(position, m.owner(), m.rows(), m.counters(), m.values());
      case PeerMessage.CopiedShard m ->
          new PeerMessage.CopiedShard(position, m.shard(), m.version(), m.values());
      case PeerMessage.CopiedRanges m ->
          new PeerMessage.CopiedRanges(position, m.owner(), m.ranges());
      case PeerMessage.CopiedRecords m ->
          new PeerMessage.CopiedRecords(
              position, m.owner(), m.tx(), m.watermark(), m.ranged(), m.rows(), m.shards());
      case PeerMessage.CopiedStage m ->
          new PeerMessage.CopiedStage(
              position, m.header(), m.participants(), m.shard(), m.rows(), m.gradients());
      case PeerMessage.Copied m -> new PeerMessage.Copied(position, m.last());
    };
  }
}
