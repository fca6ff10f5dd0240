package io.holdfast.config.protocol;

import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.codec.AppliedDecoder;
import io.holdfast.config.protocol.codec.AppliedEncoder;
import io.holdfast.config.protocol.codec.CommitDecoder;
import io.holdfast.config.protocol.codec.CommitEncoder;
import io.holdfast.config.protocol.codec.EnvelopeDecoder;
import io.holdfast.config.protocol.codec.EnvelopeEncoder;
import io.holdfast.config.protocol.codec.ExportDecoder;
import io.holdfast.config.protocol.codec.ExportEncoder;
import io.holdfast.config.protocol.codec.ExportShardDecoder;
import io.holdfast.config.protocol.codec.ExportShardEncoder;
import io.holdfast.config.protocol.codec.ExportedRowsDecoder;
import io.holdfast.config.protocol.codec.ExportedRowsEncoder;
import io.holdfast.config.protocol.codec.ExportedShardDecoder;
import io.holdfast.config.protocol.codec.ExportedShardEncoder;
import io.holdfast.config.protocol.codec.MessageHeaderDecoder;
import io.holdfast.config.protocol.codec.MessageHeaderEncoder;
import io.holdfast.config.protocol.codec.PullDecoder;
import io.holdfast.config.protocol.codec.PullEncoder;
import io.holdfast.config.protocol.codec.PullShardDecoder;
import io.holdfast.config.protocol.codec.PullShardEncoder;
import io.holdfast.config.protocol.codec.RefusedDecoder;
import io.holdfast.config.protocol.codec.RefusedEncoder;
import io.holdfast.config.protocol.codec.RowsDecoder;
import io.holdfast.config.protocol.codec.RowsEncoder;
import io.holdfast.config.protocol.codec.ScrubDecoder;
import io.holdfast.config.protocol.codec.ScrubEncoder;
import io.holdfast.config.protocol.codec.ScrubbedDecoder;
import io.holdfast.config.protocol.codec.ScrubbedEncoder;
import io.holdfast.config.protocol.codec.ShardValuesDecoder;
import io.holdfast.config.protocol.codec.ShardValuesEncoder;
import io.holdfast.config.protocol.codec.StageRowsDecoder;
import io.holdfast.config.protocol.codec.StageRowsEncoder;
import io.holdfast.config.protocol.codec.StageShardDecoder;
import io.holdfast.config.protocol.codec.StageShardEncoder;
import io.holdfast.config.protocol.codec.StagedDecoder;
import io.holdfast.config.protocol.codec.StagedEncoder;
import io.holdfast.config.protocol.codec.TxDecoder;
import io.holdfast.config.protocol.codec.TxEncoder;
import io.holdfast.config.protocol.codec.TxHeaderDecoder;
import io.holdfast.config.protocol.codec.TxHeaderEncoder;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Messages to frames and back, by SBE. Payloads are written straight into the frame and read in
 * place. One instance serves one thread.
 *
 * <p>Decoding trusts nothing: template, block length and every variable length are checked against
 * the frame. Whether counts fit the model is for the receiver to check.
 */
public final class MessageCodec {
  private static final int HEADER = MessageHeaderEncoder.ENCODED_LENGTH;
  private static final int LENGTH_PREFIX = Integer.BYTES;

  private final MessageHeaderEncoder headerEncoder = new MessageHeaderEncoder();
  private final MessageHeaderDecoder headerDecoder = new MessageHeaderDecoder();
  private final PullEncoder pullEncoder = new PullEncoder();
  private final PullDecoder pullDecoder = new PullDecoder();
  private final RowsEncoder rowsEncoder = new RowsEncoder();
  private final RowsDecoder rowsDecoder = new RowsDecoder();
  private final PullShardEncoder pullShardEncoder = new PullShardEncoder();
  private final PullShardDecoder pullShardDecoder = new PullShardDecoder();
  private final ShardValuesEncoder shardValuesEncoder = new ShardValuesEncoder();
  private final ShardValuesDecoder shardValuesDecoder = new ShardValuesDecoder();
  private final StageRowsEncoder stageRowsEncoder = new StageRowsEncoder();
  private final StageRowsDecoder stageRowsDecoder = new StageRowsDecoder();
  private final StageShardEncoder stageShardEncoder = new StageShardEncoder();
  private final StageShardDecoder stageShardDecoder = new StageShardDecoder();
  private final StagedEncoder stagedEncoder = new StagedEncoder();
  private final StagedDecoder stagedDecoder = new StagedDecoder();
  private final CommitEncoder commitEncoder = new CommitEncoder();
  private final CommitDecoder commitDecoder = new CommitDecoder();
  private final AppliedEncoder appliedEncoder = new AppliedEncoder();
  private final AppliedDecoder appliedDecoder = new AppliedDecoder();
  private final RefusedEncoder refusedEncoder = new RefusedEncoder();
  private final RefusedDecoder refusedDecoder = new RefusedDecoder();
  private final ExportEncoder exportEncoder = new ExportEncoder();
  private final ExportDecoder exportDecoder = new ExportDecoder();
  private final ExportedRowsEncoder exportedRowsEncoder = new ExportedRowsEncoder();
  private final ExportedRowsDecoder exportedRowsDecoder = new ExportedRowsDecoder();
  private final ExportShardEncoder exportShardEncoder = new ExportShardEncoder();
  private final ExportShardDecoder exportShardDecoder = new ExportShardDecoder();
  private final ExportedShardEncoder exportedShardEncoder = new ExportedShardEncoder();
  private final ExportedShardDecoder exportedShardDecoder = new ExportedShardDecoder();

  private final ScrubEncoder scrubEncoder = new ScrubEncoder();
  private final ScrubDecoder scrubDecoder = new ScrubDecoder();
  private final ScrubbedEncoder scrubbedEncoder = new ScrubbedEncoder();
  private final ScrubbedDecoder scrubbedDecoder = new ScrubbedDecoder();
  private final PeerCodec peers = new PeerCodec();

  private final UnsafeBuffer view = new UnsafeBuffer(0, 0);

  /** A decoded frame. Payloads point into the frame. */
  public record Decoded(Envelope envelope, DataMessage message) {}

  /** Length of the frame of a message, in bytes. */
  public static int lengthBytes(DataMessage message) {
    long length =
        HEADER
            + switch (message) {
              case DataMessage.Pull m -> PullEncoder.BLOCK_LENGTH + variable(m.rows());
              case DataMessage.Rows m -> RowsEncoder.BLOCK_LENGTH + variable(m.values());
              case DataMessage.PullShard m -> (long) PullShardEncoder.BLOCK_LENGTH;
              case DataMessage.ShardValues m ->
                  ShardValuesEncoder.BLOCK_LENGTH + variable(m.values());
              case DataMessage.StageRows m ->
                  StageRowsEncoder.BLOCK_LENGTH
                      + variable(m.participants())
                      + variable(m.rows())
                      + variable(m.gradients());
              case DataMessage.StageShard m ->
                  StageShardEncoder.BLOCK_LENGTH
                      + variable(m.participants())
                      + variable(m.gradients());
              case DataMessage.Staged m -> StagedEncoder.BLOCK_LENGTH;
              case DataMessage.Commit m -> CommitEncoder.BLOCK_LENGTH;
              case DataMessage.Applied m -> AppliedEncoder.BLOCK_LENGTH;
              case DataMessage.Refused m -> RefusedEncoder.BLOCK_LENGTH;
              case DataMessage.Export m -> ExportEncoder.BLOCK_LENGTH;
              case DataMessage.ExportedRows m ->
                  ExportedRowsEncoder.BLOCK_LENGTH
                      + variable(m.rows())
                      + variable(m.counters())
                      + variable(m.values());
              case DataMessage.ExportShard m -> ExportShardEncoder.BLOCK_LENGTH;
              case DataMessage.ExportedShard m ->
                  ExportedShardEncoder.BLOCK_LENGTH + variable(m.values());
              case DataMessage.Scrub m -> ScrubEncoder.BLOCK_LENGTH;
              case DataMessage.Scrubbed m -> ScrubbedEncoder.BLOCK_LENGTH + variable(m.members());
              case PeerMessage m -> PeerCodec.bodyBytes(m);
            };
    return Math.toIntExact(length);
  }

  static long variable(Payload payload) {
    return LENGTH_PREFIX + payload.lengthBytes();
  }

  static long variable(Participants participants) {
    return LENGTH_PREFIX + participants.lengthBytes();
  }

  /**
   * Writes a frame.
   *
   * @param target at least {@link #lengthBytes} long
   * @param targetView a view of the same memory
   * @return the frame's length in bytes
   */
  public int encode(
      Envelope envelope, DataMessage message, MemorySegment target, UnsafeBuffer targetView) {
    int end =
        switch (message) {
          case DataMessage.Pull m -> {
            pullEncoder.wrapAndApplyHeader(targetView, 0, headerEncoder).request(m.request());
            write(pullEncoder.envelope(), envelope);
            yield append(target, pullEncoder.limit(), m.rows());
          }
          case DataMessage.Rows m -> {
            rowsEncoder.wrapAndApplyHeader(targetView, 0, headerEncoder).request(m.request());
            write(rowsEncoder.envelope(), envelope);
            yield append(target, rowsEncoder.limit(), m.values());
          }
          case DataMessage.PullShard m -> {
            pullShardEncoder
                .wrapAndApplyHeader(targetView, 0, headerEncoder)
                .request(m.request())
                .shard(m.shard())
                .knownEpoch(m.known().primaryEpoch().packed())
                .knownCounter(m.known().counter());
            write(pullShardEncoder.envelope(), envelope);
            yield pullShardEncoder.limit();
          }
          case DataMessage.ShardValues m -> {
            shardValuesEncoder
                .wrapAndApplyHeader(targetView, 0, headerEncoder)
                .request(m.request())
                .shard(m.shard())
                .versionEpoch(m.version().primaryEpoch().packed())
                .versionCounter(m.version().counter());
            write(shardValuesEncoder.envelope(), envelope);
            yield append(target, shardValuesEncoder.limit(), m.values());
          }
          case DataMessage.StageRows m -> {
            stageRowsEncoder.wrapAndApplyHeader(targetView, 0, headerEncoder);
            write(stageRowsEncoder.envelope(), envelope);
            write(stageRowsEncoder.header(), m.header());
            int end1 = append(target, stageRowsEncoder.limit(), m.participants());
            int end2 = append(target, end1, m.rows());
            yield append(target, end2, m.gradients());
          }
          case DataMessage.StageShard m -> {
            stageShardEncoder.wrapAndApplyHeader(targetView, 0, headerEncoder).shard(m.shard());
            write(stageShardEncoder.envelope(), envelope);
            write(stageShardEncoder.header(), m.header());
            int end1 = append(target, stageShardEncoder.limit(), m.participants());
            yield append(target, end1, m.gradients());
          }
          case DataMessage.Staged m -> {
            stagedEncoder.wrapAndApplyHeader(targetView, 0, headerEncoder).owner(m.owner());
            write(stagedEncoder.envelope(), envelope);
            write(stagedEncoder.tx(), m.tx());
            yield stagedEncoder.limit();
          }
          case DataMessage.Commit m -> {
            commitEncoder
                .wrapAndApplyHeader(targetView, 0, headerEncoder)
                .watermark(m.watermark())
                .owner(m.owner());
            write(commitEncoder.envelope(), envelope);
            write(commitEncoder.tx(), m.tx());
            yield commitEncoder.limit();
          }
          case DataMessage.Applied m -> {
            appliedEncoder.wrapAndApplyHeader(targetView, 0, headerEncoder).owner(m.owner());
            write(appliedEncoder.envelope(), envelope);
            write(appliedEncoder.tx(), m.tx());
            yield appliedEncoder.limit();
          }
          case DataMessage.Refused m -> {
            refusedEncoder
                .wrapAndApplyHeader(targetView, 0, headerEncoder)
                .correlation(m.correlation())
                .reason((short) m.reason().code());
            write(refusedEncoder.envelope(), envelope);
            yield refusedEncoder.limit();
          }
          case DataMessage.Export m -> {
            exportEncoder
                .wrapAndApplyHeader(targetView, 0, headerEncoder)
                .request(m.request())
                .fromRow(m.fromRow())
                .toRow(m.toRow())
                .owner(m.owner());
            write(exportEncoder.envelope(), envelope);
            yield exportEncoder.limit();
          }
          case DataMessage.ExportedRows m -> {
            exportedRowsEncoder
                .wrapAndApplyHeader(targetView, 0, headerEncoder)
                .request(m.request())
                .nextRow(m.nextRow());
            write(exportedRowsEncoder.envelope(), envelope);
            int end1 = append(target, exportedRowsEncoder.limit(), m.rows());
            int end2 = append(target, end1, m.counters());
            yield append(target, end2, m.values());
          }
          case DataMessage.ExportShard m -> {
            exportShardEncoder
                .wrapAndApplyHeader(targetView, 0, headerEncoder)
                .request(m.request())
                .shard(m.shard());
            write(exportShardEncoder.envelope(), envelope);
            yield exportShardEncoder.limit();
          }
          case DataMessage.ExportedShard m -> {
            exportedShardEncoder
                .wrapAndApplyHeader(targetView, 0, headerEncoder)
                .request(m.request())
                .shard(m.shard())
                .updates(m.updates());
            write(exportedShardEncoder.envelope(), envelope);
            yield append(target, exportedShardEncoder.limit(), m.values());
          }
          case DataMessage.Scrub m -> {
            scrubEncoder
                .wrapAndApplyHeader(targetView, 0, headerEncoder)
                .request(m.request())
                .kind((short) m.kind().code())
                .from(m.from())
                .to(m.to())
                .repair((short) (m.repair() ? 1 : 0));
            write(scrubEncoder.envelope(), envelope);
            yield scrubEncoder.limit();
          }
          case DataMessage.Scrubbed m -> {
            scrubbedEncoder
                .wrapAndApplyHeader(targetView, 0, headerEncoder)
                .request(m.request())
                .next(m.next())
                .compared(m.compared())
                .rows(m.rows())
                .wrong(m.wrong())
                .located(m.located())
                .repaired(m.repaired())
                .deviation(m.deviation());
            write(scrubbedEncoder.envelope(), envelope);
            yield append(target, scrubbedEncoder.limit(), m.members());
          }
          case PeerMessage m -> peers.encode(envelope, m, target, targetView);
        };
    return end;
  }

  static int append(MemorySegment target, int offset, Payload payload) {
    int length = Math.toIntExact(payload.lengthBytes());
    target.set(ValueLayout.JAVA_INT_UNALIGNED, offset, length);
    if (length > 0) {
      payload.writeTo(target, offset + LENGTH_PREFIX);
    }
    return offset + LENGTH_PREFIX + length;
  }

  static int append(MemorySegment target, int offset, Participants participants) {
    target.set(ValueLayout.JAVA_INT_UNALIGNED, offset, participants.lengthBytes());
    participants.writeTo(target, offset + LENGTH_PREFIX);
    return offset + LENGTH_PREFIX + participants.lengthBytes();
  }

  static void write(EnvelopeEncoder target, Envelope envelope) {
    target
        .sessionKey(envelope.sessionKey())
        .epoch(envelope.epoch().packed())
        .senderIncarnation(envelope.senderIncarnation())
        .addresseeIncarnation(envelope.addresseeIncarnation())
        .sender(envelope.sender().code())
        .addressee(envelope.addressee().code());
  }

  static void write(TxEncoder target, TxId tx) {
    target.worker(tx.worker().code()).incarnation(tx.incarnation()).sequence(tx.sequence());
  }

  static void write(TxHeaderEncoder target, TxHeader header) {
    target
        .worker(header.tx().worker().code())
        .incarnation(header.tx().incarnation())
        .sequence(header.tx().sequence())
        .watermark(header.watermark())
        .learningRate(header.learningRate())
        .owner(header.owner())
        .pass(header.range().pass())
        .file(header.range().file())
        .from(header.range().from())
        .to(header.range().to())
        .samples(header.range().samples())
        .skipped(header.range().skipped())
        .part(header.part())
        .parts(header.parts());
  }

  /**
   * Reads a frame.
   *
   * @param frame exactly the frame; native memory
   * @throws MalformedFrameException if it is not one that this version can read
   */
  public Decoded decode(MemorySegment frame) throws MalformedFrameException {
    view.wrap(frame.address(), Math.toIntExact(frame.byteSize()));
    if (frame.byteSize() < HEADER) {
      throw new MalformedFrameException("a frame of " + frame.byteSize() + " bytes");
    }
    headerDecoder.wrap(view, 0);
    if (headerDecoder.schemaId() != MessageHeaderDecoder.SCHEMA_ID
        || headerDecoder.version() != MessageHeaderDecoder.SCHEMA_VERSION) {
      throw new MalformedFrameException(
          "schema "
              + headerDecoder.schemaId()
              + " version "
              + headerDecoder.version()
              + ", this process speaks "
              + MessageHeaderDecoder.SCHEMA_ID
              + " version "
              + MessageHeaderDecoder.SCHEMA_VERSION);
    }
    try {
      Decoded decoded = decode(headerDecoder.templateId(), frame);
      int length = lengthBytes(decoded.message());
      if (length != frame.byteSize()) {
        throw new MalformedFrameException(
            "template "
                + headerDecoder.templateId()
                + " ends after "
                + length
                + " bytes of a frame of "
                + frame.byteSize());
      }
      return decoded;
    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
      throw new MalformedFrameException(
          "template "
              + headerDecoder.templateId()
              + " of "
              + frame.byteSize()
              + " bytes: "
              + e.getMessage(),
          e);
    }
  }

  private Decoded decode(int template, MemorySegment frame) throws MalformedFrameException {
    switch (template) {
      case PullDecoder.TEMPLATE_ID -> {
        checkBlock(frame, PullDecoder.BLOCK_LENGTH);
        pullDecoder.wrapAndApplyHeader(view, 0, headerDecoder);
        Payload rows = variable(frame, pullDecoder.limit(), Long.BYTES);
        return decoded(pullDecoder.envelope(), new DataMessage.Pull(pullDecoder.request(), rows));
      }
      case RowsDecoder.TEMPLATE_ID -> {
        checkBlock(frame, RowsDecoder.BLOCK_LENGTH);
        rowsDecoder.wrapAndApplyHeader(view, 0, headerDecoder);
        Payload values = variable(frame, rowsDecoder.limit(), Float.BYTES);
        return decoded(rowsDecoder.envelope(), new DataMessage.Rows(rowsDecoder.request(), values));
      }
      case PullShardDecoder.TEMPLATE_ID -> {
        checkBlock(frame, PullShardDecoder.BLOCK_LENGTH);
        pullShardDecoder.wrapAndApplyHeader(view, 0, headerDecoder);
        ShardVersion known =
            new ShardVersion(
                Epoch.of(pullShardDecoder.knownEpoch()), pullShardDecoder.knownCounter());
        return decoded(
            pullShardDecoder.envelope(),
            new DataMessage.PullShard(pullShardDecoder.request(), pullShardDecoder.shard(), known));
      }
      case ShardValuesDecoder.TEMPLATE_ID -> {
        checkBlock(frame, ShardValuesDecoder.BLOCK_LENGTH);
        shardValuesDecoder.wrapAndApplyHeader(view, 0, headerDecoder);
        Payload values = variable(frame, shardValuesDecoder.limit(), Float.BYTES);
        ShardVersion version =
            new ShardVersion(
                Epoch.of(shardValuesDecoder.versionEpoch()), shardValuesDecoder.versionCounter());
        return decoded(
            shardValuesDecoder.envelope(),
            new DataMessage.ShardValues(
                shardValuesDecoder.request(), shardValuesDecoder.shard(), version, values));
      }
      case StageRowsDecoder.TEMPLATE_ID -> {
        checkBlock(frame, StageRowsDecoder.BLOCK_LENGTH);
        stageRowsDecoder.wrapAndApplyHeader(view, 0, headerDecoder);
        Payload participants = variable(frame, stageRowsDecoder.limit(), Integer.BYTES);
        Payload rows = variable(frame, behind(stageRowsDecoder.limit(), participants), Long.BYTES);
        int gradientsAt = behind(behind(stageRowsDecoder.limit(), participants), rows);
        Payload gradients = variable(frame, gradientsAt, Float.BYTES);
        return decoded(
            stageRowsDecoder.envelope(),
            new DataMessage.StageRows(
                read(stageRowsDecoder.header()), readParticipants(participants), rows, gradients));
      }
      case StageShardDecoder.TEMPLATE_ID -> {
        checkBlock(frame, StageShardDecoder.BLOCK_LENGTH);
        stageShardDecoder.wrapAndApplyHeader(view, 0, headerDecoder);
        Payload participants = variable(frame, stageShardDecoder.limit(), Integer.BYTES);
        Payload gradients =
            variable(frame, behind(stageShardDecoder.limit(), participants), Float.BYTES);
        return decoded(
            stageShardDecoder.envelope(),
            new DataMessage.StageShard(
                read(stageShardDecoder.header()),
                readParticipants(participants),
                stageShardDecoder.shard(),
                gradients));
      }
      case StagedDecoder.TEMPLATE_ID -> {
        checkBlock(frame, StagedDecoder.BLOCK_LENGTH);
        stagedDecoder.wrapAndApplyHeader(view, 0, headerDecoder);
        return decoded(
            stagedDecoder.envelope(),
            new DataMessage.Staged(read(stagedDecoder.tx()), stagedDecoder.owner()));
      }
      case CommitDecoder.TEMPLATE_ID -> {
        checkBlock(frame, CommitDecoder.BLOCK_LENGTH);
        commitDecoder.wrapAndApplyHeader(view, 0, headerDecoder);
        return decoded(
            commitDecoder.envelope(),
            new DataMessage.Commit(
                read(commitDecoder.tx()), commitDecoder.owner(), commitDecoder.watermark()));
      }
      case AppliedDecoder.TEMPLATE_ID -> {
        checkBlock(frame, AppliedDecoder.BLOCK_LENGTH);
        appliedDecoder.wrapAndApplyHeader(view, 0, headerDecoder);
        return decoded(
            appliedDecoder.envelope(),
            new DataMessage.Applied(read(appliedDecoder.tx()), appliedDecoder.owner()));
      }
      case RefusedDecoder.TEMPLATE_ID -> {
        checkBlock(frame, RefusedDecoder.BLOCK_LENGTH);
        refusedDecoder.wrapAndApplyHeader(view, 0, headerDecoder);
        return decoded(
            refusedDecoder.envelope(),
            new DataMessage.Refused(
                refusedDecoder.correlation(), RefusalReason.of(refusedDecoder.reason())));
      }
      case ExportDecoder.TEMPLATE_ID -> {
        checkBlock(frame, ExportDecoder.BLOCK_LENGTH);
        exportDecoder.wrapAndApplyHeader(view, 0, headerDecoder);
        return decoded(
            exportDecoder.envelope(),
            new DataMessage.Export(
                exportDecoder.request(),
                exportDecoder.owner(),
                exportDecoder.fromRow(),
                exportDecoder.toRow()));
      }
      case ExportedRowsDecoder.TEMPLATE_ID -> {
        checkBlock(frame, ExportedRowsDecoder.BLOCK_LENGTH);
        exportedRowsDecoder.wrapAndApplyHeader(view, 0, headerDecoder);
        Payload rows = variable(frame, exportedRowsDecoder.limit(), Long.BYTES);
        int countersAt = behind(exportedRowsDecoder.limit(), rows);
        Payload counters = variable(frame, countersAt, Integer.BYTES);
        Payload values = variable(frame, behind(countersAt, counters), Float.BYTES);
        return decoded(
            exportedRowsDecoder.envelope(),
            new DataMessage.ExportedRows(
                exportedRowsDecoder.request(),
                exportedRowsDecoder.nextRow(),
                rows,
                counters,
                values));
      }
      case ExportShardDecoder.TEMPLATE_ID -> {
        checkBlock(frame, ExportShardDecoder.BLOCK_LENGTH);
        exportShardDecoder.wrapAndApplyHeader(view, 0, headerDecoder);
        return decoded(
            exportShardDecoder.envelope(),
            new DataMessage.ExportShard(exportShardDecoder.request(), exportShardDecoder.shard()));
      }
      case ExportedShardDecoder.TEMPLATE_ID -> {
        checkBlock(frame, ExportedShardDecoder.BLOCK_LENGTH);
        exportedShardDecoder.wrapAndApplyHeader(view, 0, headerDecoder);
        Payload values = variable(frame, exportedShardDecoder.limit(), Float.BYTES);
        return decoded(
            exportedShardDecoder.envelope(),
            new DataMessage.ExportedShard(
                exportedShardDecoder.request(),
                exportedShardDecoder.shard(),
                exportedShardDecoder.updates(),
                values));
      }
      case ScrubDecoder.TEMPLATE_ID -> {
        checkBlock(frame, ScrubDecoder.BLOCK_LENGTH);
        scrubDecoder.wrapAndApplyHeader(view, 0, headerDecoder);
        return decoded(
            scrubDecoder.envelope(),
            new DataMessage.Scrub(
                scrubDecoder.request(),
                DataMessage.ScrubKind.of(scrubDecoder.kind()),
                scrubDecoder.from(),
                scrubDecoder.to(),
                scrubDecoder.repair() != 0));
      }
      case ScrubbedDecoder.TEMPLATE_ID -> {
        checkBlock(frame, ScrubbedDecoder.BLOCK_LENGTH);
        scrubbedDecoder.wrapAndApplyHeader(view, 0, headerDecoder);
        return decoded(
            scrubbedDecoder.envelope(),
            new DataMessage.Scrubbed(
                scrubbedDecoder.request(),
                scrubbedDecoder.next(),
                scrubbedDecoder.compared(),
                scrubbedDecoder.rows(),
                scrubbedDecoder.wrong(),
                scrubbedDecoder.located(),
                scrubbedDecoder.repaired(),
                scrubbedDecoder.deviation(),
                variable(frame, scrubbedDecoder.limit(), Long.BYTES)));
      }
      default -> {
        int block = PeerCodec.blockLength(template);
        checkBlock(frame, block);
        return peers.decode(template, view, headerDecoder, frame);
      }
    }
  }

  private void checkBlock(MemorySegment frame, int expected) throws MalformedFrameException {
    if (headerDecoder.blockLength() != expected || frame.byteSize() < HEADER + expected) {
      throw new MalformedFrameException(
          "template "
              + headerDecoder.templateId()
              + " with a block of "
              + headerDecoder.blockLength()
              + " bytes in a frame of "
              + frame.byteSize()
              + ", expected "
              + expected);
    }
  }

  static Payload variable(MemorySegment frame, int offset, int unit)
      throws MalformedFrameException {
    if (offset + LENGTH_PREFIX > frame.byteSize()) {
      throw new MalformedFrameException("a frame of " + frame.byteSize() + " bytes is cut short");
    }
    int length = frame.get(ValueLayout.JAVA_INT_UNALIGNED, offset);
    if (length < 0 || length > frame.byteSize() - offset - LENGTH_PREFIX || length % unit != 0) {
      throw new MalformedFrameException(
          "a variable part of "
              + Integer.toUnsignedString(length)
              + " bytes at "
              + offset
              + " of a frame of "
              + frame.byteSize()
              + ", in units of "
              + unit);
    }
    return Payload.of(frame.asSlice(offset + LENGTH_PREFIX, length));
  }

  static int behind(int offset, Payload payload) {
    return offset + LENGTH_PREFIX + (int) payload.lengthBytes();
  }

  static Participants readParticipants(Payload payload) throws MalformedFrameException {
    if (payload.lengthBytes() == 0) {
      throw new MalformedFrameException("a transaction without participants");
    }
    return Participants.read(payload.segment());
  }

  static Decoded decoded(EnvelopeDecoder envelope, DataMessage message) {
    return new Decoded(
        new Envelope(
            envelope.sessionKey(),
            Epoch.of(envelope.epoch()),
            NodeId.of(envelope.sender()),
            envelope.senderIncarnation(),
            NodeId.of(envelope.addressee()),
            envelope.addresseeIncarnation()),
        message);
  }

  static TxId read(TxDecoder tx) {
    return new TxId(NodeId.of(tx.worker()), tx.incarnation(), tx.sequence());
  }

  static TxHeader read(TxHeaderDecoder header) throws MalformedFrameException {
    if (header.part() < 0 || header.parts() <= header.part() || header.sequence() < 1) {
      throw new MalformedFrameException(
          "part " + header.part() + " of " + header.parts() + " of sequence " + header.sequence());
    }
    return new TxHeader(
        new TxId(NodeId.of(header.worker()), header.incarnation(), header.sequence()),
        header.watermark(),
        header.learningRate(),
        header.owner(),
        new DataRange(
            header.pass(),
            header.file(),
            header.from(),
            header.to(),
            header.samples(),
            header.skipped()),
        header.part(),
        header.parts());
  }
}
