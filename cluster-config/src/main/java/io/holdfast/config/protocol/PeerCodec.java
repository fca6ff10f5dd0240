package io.holdfast.config.protocol;

import static io.holdfast.config.protocol.MessageCodec.append;
import static io.holdfast.config.protocol.MessageCodec.behind;
import static io.holdfast.config.protocol.MessageCodec.decoded;
import static io.holdfast.config.protocol.MessageCodec.read;
import static io.holdfast.config.protocol.MessageCodec.variable;

import io.holdfast.config.placement.Epoch;
import io.holdfast.config.protocol.codec.CaptureParitiesDecoder;
import io.holdfast.config.protocol.codec.CaptureParitiesEncoder;
import io.holdfast.config.protocol.codec.CaptureRowsDecoder;
import io.holdfast.config.protocol.codec.CaptureRowsEncoder;
import io.holdfast.config.protocol.codec.CaptureShardDecoder;
import io.holdfast.config.protocol.codec.CaptureShardEncoder;
import io.holdfast.config.protocol.codec.CapturedParitiesDecoder;
import io.holdfast.config.protocol.codec.CapturedParitiesEncoder;
import io.holdfast.config.protocol.codec.CapturedRowsDecoder;
import io.holdfast.config.protocol.codec.CapturedRowsEncoder;
import io.holdfast.config.protocol.codec.CapturedShardDecoder;
import io.holdfast.config.protocol.codec.CapturedShardEncoder;
import io.holdfast.config.protocol.codec.DeltasDecoder;
import io.holdfast.config.protocol.codec.DeltasEncoder;
import io.holdfast.config.protocol.codec.ForwardRangeDecoder;
import io.holdfast.config.protocol.codec.ForwardRangeEncoder;
import io.holdfast.config.protocol.codec.ForwardShardDecoder;
import io.holdfast.config.protocol.codec.ForwardShardEncoder;
import io.holdfast.config.protocol.codec.MessageHeaderDecoder;
import io.holdfast.config.protocol.codec.MessageHeaderEncoder;
import io.holdfast.config.protocol.codec.RangeDecoder;
import io.holdfast.config.protocol.codec.RangeEncoder;
import io.holdfast.config.protocol.codec.RepairRowsDecoder;
import io.holdfast.config.protocol.codec.RepairRowsEncoder;
import io.holdfast.config.protocol.codec.StreamAckDecoder;
import io.holdfast.config.protocol.codec.StreamAckEncoder;
import io.holdfast.config.protocol.codec.StreamPositionDecoder;
import io.holdfast.config.protocol.codec.StreamPositionEncoder;
import java.lang.foreign.MemorySegment;
import org.agrona.concurrent.UnsafeBuffer;

/** The part of {@link MessageCodec} for messages between servers, with the same promises. */
final class PeerCodec {
  private final MessageHeaderEncoder headerEncoder = new MessageHeaderEncoder();
  private final DeltasEncoder deltasEncoder = new DeltasEncoder();
  private final DeltasDecoder deltasDecoder = new DeltasDecoder();
  private final ForwardShardEncoder forwardShardEncoder = new ForwardShardEncoder();
  private final ForwardShardDecoder forwardShardDecoder = new ForwardShardDecoder();
  private final ForwardRangeEncoder forwardRangeEncoder = new ForwardRangeEncoder();
  private final ForwardRangeDecoder forwardRangeDecoder = new ForwardRangeDecoder();
  private final CapturedRowsEncoder capturedRowsEncoder = new CapturedRowsEncoder();
  private final CapturedRowsDecoder capturedRowsDecoder = new CapturedRowsDecoder();
  private final CapturedShardEncoder capturedShardEncoder = new CapturedShardEncoder();
  private final CapturedShardDecoder capturedShardDecoder = new CapturedShardDecoder();
  private final StreamAckEncoder streamAckEncoder = new StreamAckEncoder();
  private final StreamAckDecoder streamAckDecoder = new StreamAckDecoder();
  private final CaptureRowsEncoder captureRowsEncoder = new CaptureRowsEncoder();
  private final CaptureRowsDecoder captureRowsDecoder = new CaptureRowsDecoder();
  private final CaptureShardEncoder captureShardEncoder = new CaptureShardEncoder();
  private final CaptureShardDecoder captureShardDecoder = new CaptureShardDecoder();
  private final CaptureParitiesEncoder captureParitiesEncoder = new CaptureParitiesEncoder();
  private final CaptureParitiesDecoder captureParitiesDecoder = new CaptureParitiesDecoder();
  private final CapturedParitiesEncoder capturedParitiesEncoder = new CapturedParitiesEncoder();
  private final CapturedParitiesDecoder capturedParitiesDecoder = new CapturedParitiesDecoder();
  private final RepairRowsEncoder repairRowsEncoder = new RepairRowsEncoder();
  private final RepairRowsDecoder repairRowsDecoder = new RepairRowsDecoder();
  private final CopyCodec copies = new CopyCodec();

  /** Bytes behind the frame's header. */
  static long bodyBytes(PeerMessage message) {
    return switch (message) {
      case PeerMessage.Deltas m ->
          DeltasEncoder.BLOCK_LENGTH
              + variable(m.rows())
              + variable(m.counters())
              + variable(m.values());
      case PeerMessage.ForwardShard m -> ForwardShardEncoder.BLOCK_LENGTH + variable(m.gradients());
      case PeerMessage.ForwardRange m -> ForwardRangeEncoder.BLOCK_LENGTH;
      case PeerMessage.CapturedRows m ->
          CapturedRowsEncoder.BLOCK_LENGTH
              + variable(m.rows())
              + variable(m.counters())
              + variable(m.values());
      case PeerMessage.CapturedShard m -> CapturedShardEncoder.BLOCK_LENGTH;
      case PeerMessage.StreamAck m -> StreamAckEncoder.BLOCK_LENGTH;
      case PeerMessage.CaptureRows m -> CaptureRowsEncoder.BLOCK_LENGTH + variable(m.rows());
      case PeerMessage.CaptureShard m -> CaptureShardEncoder.BLOCK_LENGTH;
      case PeerMessage.CaptureParities m ->
          CaptureParitiesEncoder.BLOCK_LENGTH + variable(m.stripes());
      case PeerMessage.CapturedParities m ->
          CapturedParitiesEncoder.BLOCK_LENGTH
              + variable(m.stripes())
              + variable(m.counters())
              + variable(m.values());
      case PeerMessage.RepairRows m ->
          RepairRowsEncoder.BLOCK_LENGTH
              + variable(m.rows())
              + variable(m.counters())
              + variable(m.values());
      case PeerMessage.CopyItem m -> CopyCodec.bodyBytes(m);
    };
  }

  /** Length of a template's fixed part. */
  static int blockLength(int template) throws MalformedFrameException {
    return switch (template) {
      case DeltasDecoder.TEMPLATE_ID -> DeltasDecoder.BLOCK_LENGTH;
      case ForwardShardDecoder.TEMPLATE_ID -> ForwardShardDecoder.BLOCK_LENGTH;
      case ForwardRangeDecoder.TEMPLATE_ID -> ForwardRangeDecoder.BLOCK_LENGTH;
      case CapturedRowsDecoder.TEMPLATE_ID -> CapturedRowsDecoder.BLOCK_LENGTH;
      case CapturedShardDecoder.TEMPLATE_ID -> CapturedShardDecoder.BLOCK_LENGTH;
      case StreamAckDecoder.TEMPLATE_ID -> StreamAckDecoder.BLOCK_LENGTH;
      case CaptureRowsDecoder.TEMPLATE_ID -> CaptureRowsDecoder.BLOCK_LENGTH;
      case CaptureShardDecoder.TEMPLATE_ID -> CaptureShardDecoder.BLOCK_LENGTH;
      case CaptureParitiesDecoder.TEMPLATE_ID -> CaptureParitiesDecoder.BLOCK_LENGTH;
      case CapturedParitiesDecoder.TEMPLATE_ID -> CapturedParitiesDecoder.BLOCK_LENGTH;
      case RepairRowsDecoder.TEMPLATE_ID -> RepairRowsDecoder.BLOCK_LENGTH;
      default -> CopyCodec.blockLength(template);
    };
  }

  int encode(Envelope envelope, PeerMessage message, MemorySegment target, UnsafeBuffer view) {
    return switch (message) {
      case PeerMessage.Deltas m -> {
        deltasEncoder
            .wrapAndApplyHeader(view, 0, headerEncoder)
            .watermark(m.watermark())
            .packed((short) (m.packed() ? 1 : 0));
        MessageCodec.write(deltasEncoder.envelope(), envelope);
        write(deltasEncoder.position(), m.position());
        MessageCodec.write(deltasEncoder.tx(), m.tx());
        int end0 = append(target, deltasEncoder.limit(), m.rows());
        int end1 = append(target, end0, m.counters());
        yield append(target, end1, m.values());
      }
      case PeerMessage.ForwardShard m -> {
        forwardShardEncoder
            .wrapAndApplyHeader(view, 0, headerEncoder)
            .watermark(m.watermark())
            .shard(m.shard())
            .versionEpoch(m.version().primaryEpoch().packed())
            .versionCounter(m.version().counter())
            .learningRate(m.learningRate());
        MessageCodec.write(forwardShardEncoder.envelope(), envelope);
        write(forwardShardEncoder.position(), m.position());
        MessageCodec.write(forwardShardEncoder.tx(), m.tx());
        yield append(target, forwardShardEncoder.limit(), m.gradients());
      }
      case PeerMessage.ForwardRange m -> {
        forwardRangeEncoder.wrapAndApplyHeader(view, 0, headerEncoder).watermark(m.watermark());
        MessageCodec.write(forwardRangeEncoder.envelope(), envelope);
        write(forwardRangeEncoder.position(), m.position());
        MessageCodec.write(forwardRangeEncoder.tx(), m.tx());
        write(forwardRangeEncoder.dataRange(), m.range());
        yield forwardRangeEncoder.limit();
      }
      case PeerMessage.CapturedRows m -> {
        capturedRowsEncoder.wrapAndApplyHeader(view, 0, headerEncoder).request(m.request());
        MessageCodec.write(capturedRowsEncoder.envelope(), envelope);
        write(capturedRowsEncoder.position(), m.position());
        int end0 = append(target, capturedRowsEncoder.limit(), m.rows());
        int end1 = append(target, end0, m.counters());
        yield append(target, end1, m.values());
      }
      case PeerMessage.CapturedShard m -> {
        capturedShardEncoder
            .wrapAndApplyHeader(view, 0, headerEncoder)
            .request(m.request())
            .shard(m.shard())
            .versionEpoch(m.version().primaryEpoch().packed())
            .versionCounter(m.version().counter())
            .digest(m.digest());
        MessageCodec.write(capturedShardEncoder.envelope(), envelope);
        write(capturedShardEncoder.position(), m.position());
        yield capturedShardEncoder.limit();
      }
      case PeerMessage.StreamAck m -> {
        streamAckEncoder
            .wrapAndApplyHeader(view, 0, headerEncoder)
            .number(m.number())
            .gap((short) (m.gap() ? 1 : 0));
        MessageCodec.write(streamAckEncoder.envelope(), envelope);
        yield streamAckEncoder.limit();
      }
      case PeerMessage.CaptureRows m -> {
        captureRowsEncoder.wrapAndApplyHeader(view, 0, headerEncoder).request(m.request());
        MessageCodec.write(captureRowsEncoder.envelope(), envelope);
        yield append(target, captureRowsEncoder.limit(), m.rows());
      }
      case PeerMessage.CaptureShard m -> {
        captureShardEncoder
            .wrapAndApplyHeader(view, 0, headerEncoder)
            .request(m.request())
            .shard(m.shard());
        MessageCodec.write(captureShardEncoder.envelope(), envelope);
        yield captureShardEncoder.limit();
      }
      case PeerMessage.CaptureParities m -> {
        captureParitiesEncoder.wrapAndApplyHeader(view, 0, headerEncoder).request(m.request());
        MessageCodec.write(captureParitiesEncoder.envelope(), envelope);
        yield append(target, captureParitiesEncoder.limit(), m.stripes());
      }
      case PeerMessage.CapturedParities m -> {
        capturedParitiesEncoder.wrapAndApplyHeader(view, 0, headerEncoder).request(m.request());
        MessageCodec.write(capturedParitiesEncoder.envelope(), envelope);
        int end0 = append(target, capturedParitiesEncoder.limit(), m.stripes());
        int end1 = append(target, end0, m.counters());
        yield append(target, end1, m.values());
      }
      case PeerMessage.RepairRows m -> {
        repairRowsEncoder.wrapAndApplyHeader(view, 0, headerEncoder);
        MessageCodec.write(repairRowsEncoder.envelope(), envelope);
        int end0 = append(target, repairRowsEncoder.limit(), m.rows());
        int end1 = append(target, end0, m.counters());
        yield append(target, end1, m.values());
      }
      case PeerMessage.CopyItem m -> copies.encode(envelope, m, target, view);
    };
  }

  MessageCodec.Decoded decode(
      int template, UnsafeBuffer view, MessageHeaderDecoder header, MemorySegment frame)
      throws MalformedFrameException {
    switch (template) {
      case DeltasDecoder.TEMPLATE_ID -> {
        deltasDecoder.wrapAndApplyHeader(view, 0, header);
        Payload rows = variable(frame, deltasDecoder.limit(), Long.BYTES);
        int behindRows = behind(deltasDecoder.limit(), rows);
        Payload counters = variable(frame, behindRows, Integer.BYTES);
        int behindCounters = behind(behindRows, counters);
        Payload values = variable(frame, behindCounters, 1);
        return decoded(
            deltasDecoder.envelope(),
            new PeerMessage.Deltas(
                position(deltasDecoder.position()),
                read(deltasDecoder.tx()),
                deltasDecoder.watermark(),
                deltasDecoder.packed() != 0,
                rows,
                counters,
                values));
      }
      case ForwardShardDecoder.TEMPLATE_ID -> {
        forwardShardDecoder.wrapAndApplyHeader(view, 0, header);
        Payload gradients = variable(frame, forwardShardDecoder.limit(), Float.BYTES);
        return decoded(
            forwardShardDecoder.envelope(),
            new PeerMessage.ForwardShard(
                position(forwardShardDecoder.position()),
                read(forwardShardDecoder.tx()),
                forwardShardDecoder.watermark(),
                forwardShardDecoder.shard(),
                version(forwardShardDecoder.versionEpoch(), forwardShardDecoder.versionCounter()),
                forwardShardDecoder.learningRate(),
                gradients));
      }
      case ForwardRangeDecoder.TEMPLATE_ID -> {
        forwardRangeDecoder.wrapAndApplyHeader(view, 0, header);
        return decoded(
            forwardRangeDecoder.envelope(),
            new PeerMessage.ForwardRange(
                position(forwardRangeDecoder.position()),
                read(forwardRangeDecoder.tx()),
                forwardRangeDecoder.watermark(),
                range(forwardRangeDecoder.dataRange())));
      }
      case CapturedRowsDecoder.TEMPLATE_ID -> {
        capturedRowsDecoder.wrapAndApplyHeader(view, 0, header);
        Payload rows = variable(frame, capturedRowsDecoder.limit(), Long.BYTES);
        int behindRows = behind(capturedRowsDecoder.limit(), rows);
        Payload counters = variable(frame, behindRows, Integer.BYTES);
        int behindCounters = behind(behindRows, counters);
        Payload values = variable(frame, behindCounters, Float.BYTES);
        return decoded(
            capturedRowsDecoder.envelope(),
            new PeerMessage.CapturedRows(
                position(capturedRowsDecoder.position()),
                capturedRowsDecoder.request(),
                rows,
                counters,
                values));
      }
      case CapturedShardDecoder.TEMPLATE_ID -> {
        capturedShardDecoder.wrapAndApplyHeader(view, 0, header);
        return decoded(
            capturedShardDecoder.envelope(),
            new PeerMessage.CapturedShard(
                position(capturedShardDecoder.position()),
                capturedShardDecoder.request(),
                capturedShardDecoder.shard(),
                version(capturedShardDecoder.versionEpoch(), capturedShardDecoder.versionCounter()),
                capturedShardDecoder.digest()));
      }
      case StreamAckDecoder.TEMPLATE_ID -> {
        streamAckDecoder.wrapAndApplyHeader(view, 0, header);
        return decoded(
            streamAckDecoder.envelope(),
            new PeerMessage.StreamAck(streamAckDecoder.number(), streamAckDecoder.gap() != 0));
      }
      case CaptureRowsDecoder.TEMPLATE_ID -> {
        captureRowsDecoder.wrapAndApplyHeader(view, 0, header);
        Payload rows = variable(frame, captureRowsDecoder.limit(), Long.BYTES);
        return decoded(
            captureRowsDecoder.envelope(),
            new PeerMessage.CaptureRows(captureRowsDecoder.request(), rows));
      }
      case CaptureShardDecoder.TEMPLATE_ID -> {
        captureShardDecoder.wrapAndApplyHeader(view, 0, header);
        return decoded(
            captureShardDecoder.envelope(),
            new PeerMessage.CaptureShard(
                captureShardDecoder.request(), captureShardDecoder.shard()));
      }
      case CaptureParitiesDecoder.TEMPLATE_ID -> {
        captureParitiesDecoder.wrapAndApplyHeader(view, 0, header);
        Payload stripes = variable(frame, captureParitiesDecoder.limit(), Long.BYTES);
        return decoded(
            captureParitiesDecoder.envelope(),
            new PeerMessage.CaptureParities(captureParitiesDecoder.request(), stripes));
      }
      case CapturedParitiesDecoder.TEMPLATE_ID -> {
        capturedParitiesDecoder.wrapAndApplyHeader(view, 0, header);
        Payload stripes = variable(frame, capturedParitiesDecoder.limit(), Long.BYTES);
        int behindStripes = behind(capturedParitiesDecoder.limit(), stripes);
        Payload counters = variable(frame, behindStripes, Integer.BYTES);
        int behindCounters = behind(behindStripes, counters);
        Payload values = variable(frame, behindCounters, Float.BYTES);
        return decoded(
            capturedParitiesDecoder.envelope(),
            new PeerMessage.CapturedParities(
                capturedParitiesDecoder.request(), stripes, counters, values));
      }
      case RepairRowsDecoder.TEMPLATE_ID -> {
        repairRowsDecoder.wrapAndApplyHeader(view, 0, header);
        Payload rows = variable(frame, repairRowsDecoder.limit(), Long.BYTES);
        int behindRows = behind(repairRowsDecoder.limit(), rows);
        Payload counters = variable(frame, behindRows, Integer.BYTES);
        int behindCounters = behind(behindRows, counters);
        Payload values = variable(frame, behindCounters, Float.BYTES);
        return decoded(
            repairRowsDecoder.envelope(), new PeerMessage.RepairRows(rows, counters, values));
      }
      default -> {
        return copies.decode(template, view, header, frame);
      }
    }
  }

  static void write(StreamPositionEncoder target, StreamPosition position) {
    target.number(position.number()).ordinal(position.ordinal()).stable(position.stable());
  }

  private static void write(RangeEncoder target, DataRange range) {
    target
        .pass(range.pass())
        .file(range.file())
        .from(range.from())
        .to(range.to())
        .samples(range.samples())
        .skipped(range.skipped());
  }

  static StreamPosition position(StreamPositionDecoder position) throws MalformedFrameException {
    if (position.number() < 1
        || position.ordinal() < 0
        || position.stable() < 0
        || position.stable() > position.ordinal()) {
      throw new MalformedFrameException(
          "stream item "
              + position.number()
              + " of ordinal "
              + position.ordinal()
              + ", stable "
              + position.stable());
    }
    return new StreamPosition(position.number(), position.ordinal(), position.stable());
  }

  private static DataRange range(RangeDecoder range) {
    return new DataRange(
        range.pass(), range.file(), range.from(), range.to(), range.samples(), range.skipped());
  }

  static ShardVersion version(long epoch, long counter) {
    return new ShardVersion(Epoch.of(epoch), counter);
  }
}
