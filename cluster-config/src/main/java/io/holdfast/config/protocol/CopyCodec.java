package io.holdfast.config.protocol;

import static io.holdfast.config.protocol.MessageCodec.append;
import static io.holdfast.config.protocol.MessageCodec.behind;
import static io.holdfast.config.protocol.MessageCodec.decoded;
import static io.holdfast.config.protocol.MessageCodec.read;
import static io.holdfast.config.protocol.MessageCodec.variable;
import static io.holdfast.config.protocol.PeerCodec.position;
import static io.holdfast.config.protocol.PeerCodec.version;
import static io.holdfast.config.protocol.PeerCodec.write;

import io.holdfast.config.protocol.codec.CopiedDecoder;
import io.holdfast.config.protocol.codec.CopiedEncoder;
import io.holdfast.config.protocol.codec.CopiedRangesDecoder;
import io.holdfast.config.protocol.codec.CopiedRangesEncoder;
import io.holdfast.config.protocol.codec.CopiedRecordsDecoder;
import io.holdfast.config.protocol.codec.CopiedRecordsEncoder;
import io.holdfast.config.protocol.codec.CopiedRowsDecoder;
import io.holdfast.config.protocol.codec.CopiedRowsEncoder;
import io.holdfast.config.protocol.codec.CopiedShardDecoder;
import io.holdfast.config.protocol.codec.CopiedShardEncoder;
import io.holdfast.config.protocol.codec.CopiedStageDecoder;
import io.holdfast.config.protocol.codec.CopiedStageEncoder;
import io.holdfast.config.protocol.codec.MessageHeaderDecoder;
import io.holdfast.config.protocol.codec.MessageHeaderEncoder;
import java.lang.foreign.MemorySegment;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * The part of {@link MessageCodec} for what a server gets that takes a lost one's place, with the
 * same promises.
 */
final class CopyCodec {
  /** Seven int64 to a record of committed data. */
  private static final int RANGE_BYTES = 7 * Long.BYTES;

  private final MessageHeaderEncoder headerEncoder = new MessageHeaderEncoder();
  private final CopiedRowsEncoder copiedRowsEncoder = new CopiedRowsEncoder();
  private final CopiedRowsDecoder copiedRowsDecoder = new CopiedRowsDecoder();
  private final CopiedShardEncoder copiedShardEncoder = new CopiedShardEncoder();
  private final CopiedShardDecoder copiedShardDecoder = new CopiedShardDecoder();
  private final CopiedRangesEncoder copiedRangesEncoder = new CopiedRangesEncoder();
  private final CopiedRangesDecoder copiedRangesDecoder = new CopiedRangesDecoder();
  private final CopiedRecordsEncoder copiedRecordsEncoder = new CopiedRecordsEncoder();
  private final CopiedRecordsDecoder copiedRecordsDecoder = new CopiedRecordsDecoder();
  private final CopiedStageEncoder copiedStageEncoder = new CopiedStageEncoder();
  private final CopiedStageDecoder copiedStageDecoder = new CopiedStageDecoder();
  private final CopiedEncoder copiedEncoder = new CopiedEncoder();
  private final CopiedDecoder copiedDecoder = new CopiedDecoder();

  /** Bytes behind the frame's header. */
  static long bodyBytes(PeerMessage.CopyItem message) {
    return switch (message) {
      case PeerMessage.CopiedRows m ->
          CopiedRowsEncoder.BLOCK_LENGTH
              + variable(m.rows())
              + variable(m.counters())
              + variable(m.values());
      case PeerMessage.CopiedShard m -> CopiedShardEncoder.BLOCK_LENGTH + variable(m.values());
      case PeerMessage.CopiedRanges m -> CopiedRangesEncoder.BLOCK_LENGTH + variable(m.ranges());
      case PeerMessage.CopiedRecords m ->
          CopiedRecordsEncoder.BLOCK_LENGTH + variable(m.rows()) + variable(m.shards());
      case PeerMessage.CopiedStage m ->
          CopiedStageEncoder.BLOCK_LENGTH
              + variable(m.participants())
              + variable(m.rows())
              + variable(m.gradients());
      case PeerMessage.Copied m -> CopiedEncoder.BLOCK_LENGTH;
    };
  }

  /** Length of a template's fixed part. */
  static int blockLength(int template) throws MalformedFrameException {
    return switch (template) {
      case CopiedRowsDecoder.TEMPLATE_ID -> CopiedRowsDecoder.BLOCK_LENGTH;
      case CopiedShardDecoder.TEMPLATE_ID -> CopiedShardDecoder.BLOCK_LENGTH;
      case CopiedRangesDecoder.TEMPLATE_ID -> CopiedRangesDecoder.BLOCK_LENGTH;
      case CopiedRecordsDecoder.TEMPLATE_ID -> CopiedRecordsDecoder.BLOCK_LENGTH;
      case CopiedStageDecoder.TEMPLATE_ID -> CopiedStageDecoder.BLOCK_LENGTH;
      case CopiedDecoder.TEMPLATE_ID -> CopiedDecoder.BLOCK_LENGTH;
      default -> throw new MalformedFrameException("no template " + template);
    };
  }

  int encode(
      Envelope envelope, PeerMessage.CopyItem message, MemorySegment target, UnsafeBuffer view) {
    return switch (message) {
      case PeerMessage.CopiedRows m -> {
        copiedRowsEncoder.wrapAndApplyHeader(view, 0, headerEncoder).owner(m.owner());
        MessageCodec.write(copiedRowsEncoder.envelope(), envelope);
        write(copiedRowsEncoder.position(), m.position());
        int end0 = append(target, copiedRowsEncoder.limit(), m.rows());
        int end1 = append(target, end0, m.counters());
        yield append(target, end1, m.values());
      }
      case PeerMessage.CopiedShard m -> {
        copiedShardEncoder
            .wrapAndApplyHeader(view, 0, headerEncoder)
            .shard(m.shard())
            .versionEpoch(m.version().primaryEpoch().packed())
            .versionCounter(m.version().counter());
        MessageCodec.write(copiedShardEncoder.envelope(), envelope);
        write(copiedShardEncoder.position(), m.position());
        yield append(target, copiedShardEncoder.limit(), m.values());
      }
      case PeerMessage.CopiedRanges m -> {
        copiedRangesEncoder.wrapAndApplyHeader(view, 0, headerEncoder).owner(m.owner());
        MessageCodec.write(copiedRangesEncoder.envelope(), envelope);
        write(copiedRangesEncoder.position(), m.position());
        yield append(target, copiedRangesEncoder.limit(), m.ranges());
      }
      case PeerMessage.CopiedRecords m -> {
        copiedRecordsEncoder
            .wrapAndApplyHeader(view, 0, headerEncoder)
            .owner(m.owner())
            .watermark(m.watermark())
            .ranged((short) (m.ranged() ? 1 : 0));
        MessageCodec.write(copiedRecordsEncoder.envelope(), envelope);
        write(copiedRecordsEncoder.position(), m.position());
        MessageCodec.write(copiedRecordsEncoder.tx(), m.tx());
        int end0 = append(target, copiedRecordsEncoder.limit(), m.rows());
        yield append(target, end0, m.shards());
      }
      case PeerMessage.CopiedStage m -> {
        copiedStageEncoder.wrapAndApplyHeader(view, 0, headerEncoder).shard(m.shard());
        MessageCodec.write(copiedStageEncoder.envelope(), envelope);
        write(copiedStageEncoder.position(), m.position());
        MessageCodec.write(copiedStageEncoder.header(), m.header());
        int end0 = append(target, copiedStageEncoder.limit(), m.participants());
        int end1 = append(target, end0, m.rows());
        yield append(target, end1, m.gradients());
      }
      case PeerMessage.Copied m -> {
        copiedEncoder.wrapAndApplyHeader(view, 0, headerEncoder).last((short) (m.last() ? 1 : 0));
        MessageCodec.write(copiedEncoder.envelope(), envelope);
        write(copiedEncoder.position(), m.position());
        yield copiedEncoder.limit();
      }
    };
  }

  MessageCodec.Decoded decode(
      int template, UnsafeBuffer view, MessageHeaderDecoder header, MemorySegment frame)
      throws MalformedFrameException {
    switch (template) {
      case CopiedRowsDecoder.TEMPLATE_ID -> {
        copiedRowsDecoder.wrapAndApplyHeader(view, 0, header);
        Payload rows = variable(frame, copiedRowsDecoder.limit(), Long.BYTES);
        int behindRows = behind(copiedRowsDecoder.limit(), rows);
        Payload counters = variable(frame, behindRows, Integer.BYTES);
        Payload values = variable(frame, behind(behindRows, counters), Float.BYTES);
        return decoded(
            copiedRowsDecoder.envelope(),
            new PeerMessage.CopiedRows(
                position(copiedRowsDecoder.position()),
                copiedRowsDecoder.owner(),
                rows,
                counters,
                values));
      }
      case CopiedShardDecoder.TEMPLATE_ID -> {
        copiedShardDecoder.wrapAndApplyHeader(view, 0, header);
        Payload values = variable(frame, copiedShardDecoder.limit(), Float.BYTES);
        return decoded(
            copiedShardDecoder.envelope(),
            new PeerMessage.CopiedShard(
                position(copiedShardDecoder.position()),
                copiedShardDecoder.shard(),
                version(copiedShardDecoder.versionEpoch(), copiedShardDecoder.versionCounter()),
                values));
      }
      case CopiedRangesDecoder.TEMPLATE_ID -> {
        copiedRangesDecoder.wrapAndApplyHeader(view, 0, header);
        Payload ranges = variable(frame, copiedRangesDecoder.limit(), RANGE_BYTES);
        return decoded(
            copiedRangesDecoder.envelope(),
            new PeerMessage.CopiedRanges(
                position(copiedRangesDecoder.position()), copiedRangesDecoder.owner(), ranges));
      }
      case CopiedRecordsDecoder.TEMPLATE_ID -> {
        copiedRecordsDecoder.wrapAndApplyHeader(view, 0, header);
        Payload rows = variable(frame, copiedRecordsDecoder.limit(), Long.BYTES);
        Payload shards = variable(frame, behind(copiedRecordsDecoder.limit(), rows), Integer.BYTES);
        return decoded(
            copiedRecordsDecoder.envelope(),
            new PeerMessage.CopiedRecords(
                position(copiedRecordsDecoder.position()),
                copiedRecordsDecoder.owner(),
                read(copiedRecordsDecoder.tx()),
                copiedRecordsDecoder.watermark(),
                copiedRecordsDecoder.ranged() != 0,
                rows,
                shards));
      }
      case CopiedStageDecoder.TEMPLATE_ID -> {
        copiedStageDecoder.wrapAndApplyHeader(view, 0, header);
        Payload participants = variable(frame, copiedStageDecoder.limit(), Integer.BYTES);
        int behindParticipants = behind(copiedStageDecoder.limit(), participants);
        Payload rows = variable(frame, behindParticipants, Long.BYTES);
        Payload gradients = variable(frame, behind(behindParticipants, rows), Float.BYTES);
        return decoded(
            copiedStageDecoder.envelope(),
            new PeerMessage.CopiedStage(
                position(copiedStageDecoder.position()),
                read(copiedStageDecoder.header()),
                MessageCodec.readParticipants(participants),
                copiedStageDecoder.shard(),
                rows,
                gradients));
      }
      case CopiedDecoder.TEMPLATE_ID -> {
        copiedDecoder.wrapAndApplyHeader(view, 0, header);
        return decoded(
            copiedDecoder.envelope(),
            new PeerMessage.Copied(position(copiedDecoder.position()), copiedDecoder.last() != 0));
      }
      default -> throw new MalformedFrameException("no template " + template);
    }
  }
}
