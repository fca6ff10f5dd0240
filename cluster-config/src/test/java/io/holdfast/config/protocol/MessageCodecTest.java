package io.holdfast.config.protocol;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.NodeId;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

class MessageCodecTest {
  private static final int KINDS = kinds(DataMessage.class);
  private static final long SEED = 20_261_121;

  /** Behind the frame, so that a read beyond its end is seen: it would change with these bytes. */
  private static final int GUARD_BYTES = 4096;

  private final Random random = new Random(SEED);
  private final MessageCodec codec = new MessageCodec();
  private final Arena arena = Arena.ofAuto();

  private static int kinds(Class<?> type) {
    return type.isSealed()
        ? Arrays.stream(type.getPermittedSubclasses()).mapToInt(MessageCodecTest::kinds).sum()
        : 1;
  }

  private static NodeId node(Random random) {
    int index = random.nextInt(1 << 24);
    return switch (random.nextInt(3)) {
      case 0 -> NodeId.server(index);
      case 1 -> NodeId.worker(index);
      default -> NodeId.reader(index);
    };
  }

  private Epoch epoch() {
    return new Epoch(random.nextInt(), random.nextInt());
  }

  private Envelope envelope() {
    return new Envelope(
        random.nextLong(),
        epoch(),
        node(random),
        random.nextLong(),
        node(random),
        random.nextLong());
  }

  private Payload payload(int unit) {
    byte[] bytes = new byte[unit * random.nextInt(40)];
    random.nextBytes(bytes);
    MemorySegment segment = arena.allocate(bytes.length + 8);
    MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes.length);
    return Payload.of(segment.asSlice(0, bytes.length));
  }

  private TxId tx() {
    return new TxId(node(random), random.nextLong(), 1 + random.nextLong(Long.MAX_VALUE - 1));
  }

  private TxHeader header() {
    int part = random.nextInt(100);
    DataRange range =
        new DataRange(
            random.nextInt(),
            random.nextInt(),
            random.nextLong(),
            random.nextLong(),
            random.nextInt(),
            random.nextInt());
    return new TxHeader(
        tx(),
        random.nextLong(),
        random.nextFloat(),
        random.nextInt(),
        range,
        part,
        part + 1 + random.nextInt(9));
  }

  private Participants participants() {
    return Participants.of(random.ints(1 + random.nextInt(12)).toArray());
  }

  private StreamPosition position() {
    long ordinal = random.nextLong(Long.MAX_VALUE);
    return new StreamPosition(
        1 + random.nextLong(Long.MAX_VALUE - 1),
        ordinal,
        ordinal == 0 ? 0 : random.nextLong(ordinal));
  }

  private DataMessage message(int kind) {
    long request = random.nextLong();
    int shard = random.nextInt();
    return switch (kind) {
      case 0 -> new DataMessage.Pull(request, payload(8));
      case 1 -> new DataMessage.Rows(request, payload(4));
      case 2 ->
          new DataMessage.PullShard(request, shard, new ShardVersion(epoch(), random.nextLong()));
      case 3 ->
          new DataMessage.ShardValues(
              request, shard, new ShardVersion(epoch(), random.nextLong()), payload(4));
      case 4 -> new DataMessage.StageRows(header(), participants(), payload(8), payload(4));
      case 5 -> new DataMessage.StageShard(header(), participants(), shard, payload(4));
      case 6 -> new DataMessage.Staged(tx(), random.nextInt());
      case 7 -> new DataMessage.Commit(tx(), random.nextInt(), random.nextLong());
      case 8 -> new DataMessage.Applied(tx(), random.nextInt());
      case 9 -> {
        RefusalReason[] reasons = RefusalReason.values();
        yield new DataMessage.Refused(request, reasons[random.nextInt(reasons.length)]);
      }
      case 10 ->
          new DataMessage.Export(request, random.nextInt(), random.nextLong(), random.nextLong());
      case 11 ->
          new DataMessage.ExportedRows(
              request, random.nextLong(), payload(8), payload(4), payload(4));
      case 12 -> new DataMessage.ExportShard(request, shard);
      case 13 -> new DataMessage.ExportedShard(request, shard, random.nextLong(), payload(4));
      case 14 ->
          new DataMessage.Scrub(
              request,
              random.nextBoolean()
                  ? DataMessage.ScrubKind.PARITIES
                  : DataMessage.ScrubKind.NN_REPLICAS,
              random.nextLong(),
              random.nextLong(),
              random.nextBoolean());
      case 15 ->
          new DataMessage.Scrubbed(
              request,
              random.nextLong(),
              random.nextLong(),
              random.nextLong(),
              random.nextLong(),
              random.nextLong(),
              random.nextLong(),
              random.nextDouble(),
              payload(8));
      case 16 ->
          new PeerMessage.Deltas(
              position(),
              tx(),
              random.nextLong(),
              random.nextBoolean(),
              payload(8),
              payload(4),
              payload(1));
      case 17 ->
          new PeerMessage.ForwardShard(
              position(),
              tx(),
              random.nextLong(),
              shard,
              new ShardVersion(epoch(), random.nextLong()),
              random.nextFloat(),
              payload(4));
      case 18 ->
          new PeerMessage.ForwardRange(position(), tx(), random.nextLong(), header().range());
      case 19 ->
          new PeerMessage.CapturedRows(position(), request, payload(8), payload(4), payload(4));
      case 20 ->
          new PeerMessage.CapturedShard(
              position(),
              request,
              shard,
              new ShardVersion(epoch(), random.nextLong()),
              random.nextLong());
      case 21 -> new PeerMessage.StreamAck(random.nextLong(), random.nextBoolean());
      case 22 -> new PeerMessage.CaptureRows(request, payload(8));
      case 23 -> new PeerMessage.CaptureShard(request, shard);
      case 24 -> new PeerMessage.CaptureParities(request, payload(8));
      case 25 -> new PeerMessage.CapturedParities(request, payload(8), payload(4), payload(4));
      case 26 -> new PeerMessage.RepairRows(payload(8), payload(4), payload(4));
      case 27 -> new PeerMessage.CopiedRows(position(), shard, payload(8), payload(4), payload(4));
      case 28 ->
          new PeerMessage.CopiedShard(
              position(), shard, new ShardVersion(epoch(), random.nextLong()), payload(4));
      case 29 -> new PeerMessage.CopiedRanges(position(), shard, payload(56));
      case 30 ->
          new PeerMessage.CopiedRecords(
              position(),
              shard,
              tx(),
              random.nextLong(),
              random.nextBoolean(),
              payload(8),
              payload(4));
      case 31 ->
          new PeerMessage.CopiedStage(
              position(), header(), participants(), shard, payload(8), payload(4));
      case 32 -> new PeerMessage.Copied(position(), random.nextBoolean());
      default -> throw new IllegalArgumentException("no kind " + kind);
    };
  }

  /** The encoded frame, exactly, with guard bytes behind it that are not part of the segment. */
  private MemorySegment encode(Envelope envelope, DataMessage message) {
    int length = MessageCodec.lengthBytes(message);
    MemorySegment memory = arena.allocate(length + GUARD_BYTES);
    MemorySegment frame = memory.asSlice(0, length);
    int end = codec.encode(envelope, message, frame, new UnsafeBuffer(frame.address(), length));
    assertEquals(length, end, message.toString());
    memory.asSlice(length).fill((byte) 0xA5);
    return frame;
  }

  /** All that a message says, with the bytes of its payloads. */
  private static List<Object> content(Object part) {
    List<Object> all = new ArrayList<>();
    if (part instanceof Payload payload) {
      all.add(Arrays.hashCode(bytes(payload)));
      all.add(payload.lengthBytes());
      return all;
    }
    if (part instanceof Record record && !(part instanceof NodeId)) {
      all.add(record.getClass().getSimpleName());
      try {
        for (var component : record.getClass().getRecordComponents()) {
          var accessor = component.getAccessor();
          accessor.setAccessible(true);
          all.addAll(content(accessor.invoke(record)));
        }
      } catch (ReflectiveOperationException e) {
        throw new LinkageError(e.getMessage(), e);
      }
      return all;
    }
    all.add(part);
    return all;
  }

  private static byte[] bytes(Payload payload) {
    return payload.segment().toArray(ValueLayout.JAVA_BYTE);
  }

  @Test
  void shouldReadWhatItWrote() throws MalformedFrameException {
    Set<Class<?>> kinds = new HashSet<>();
    for (int round = 0; round < 2_000; round++) {
      Envelope envelope = envelope();
      DataMessage message = message(round % KINDS);
      kinds.add(message.getClass());
      MessageCodec.Decoded decoded = codec.decode(encode(envelope, message));
      assertEquals(envelope, decoded.envelope());
      assertEquals(content(message), content(decoded.message()), "seed " + SEED);
    }
    assertEquals(KINDS, kinds.size());
  }

  @Test
  void shouldReadPayloadsInPlace() throws MalformedFrameException {
    MemorySegment frame = encode(envelope(), new DataMessage.Rows(1, payloadOf(1, 2, 3, 4)));
    DataMessage.Rows rows = (DataMessage.Rows) codec.decode(frame).message();
    frame.set(ValueLayout.JAVA_BYTE, frame.byteSize() - 1, (byte) 77);
    assertArrayEquals(new byte[] {1, 2, 3, 77}, bytes(rows.values()));
  }

  private Payload payloadOf(int... values) {
    MemorySegment segment = arena.allocate(values.length);
    for (int i = 0; i < values.length; i++) {
      segment.set(ValueLayout.JAVA_BYTE, i, (byte) values[i]);
    }
    return Payload.of(segment);
  }

  @Test
  void shouldWritePayloadsThatAreRecipes() throws MalformedFrameException {
    Payload recipe =
        new Payload() {
          @Override
          public long lengthBytes() {
            return 8;
          }

          @Override
          public void writeTo(MemorySegment target, long offsetBytes) {
            target.set(ValueLayout.JAVA_LONG_UNALIGNED, offsetBytes, 4711);
          }
        };
    MemorySegment frame = encode(envelope(), new DataMessage.Pull(1, recipe));
    DataMessage.Pull pull = (DataMessage.Pull) codec.decode(frame).message();
    assertEquals(1, pull.count());
    assertEquals(4711, pull.rows().segment().get(ValueLayout.JAVA_LONG_UNALIGNED, 0));
    assertThrows(UnsupportedOperationException.class, recipe::segment);
  }

  @Test
  void shouldRefuseFramesThatAreCutShortAnywhere() {
    for (int kind = 0; kind < KINDS; kind++) {
      for (int round = 0; round < 3; round++) {
        MemorySegment frame = encode(envelope(), message(kind));
        for (long length = 0; length < frame.byteSize(); length++) {
          MemorySegment cut = frame.asSlice(0, length);
          assertThrows(
              MalformedFrameException.class,
              () -> codec.decode(cut),
              "kind " + kind + " cut to " + length + " of " + frame.byteSize());
        }
      }
    }
  }

  @Test
  void shouldRefuseFramesWithBytesBehindTheMessage() {
    for (int kind = 0; kind < KINDS; kind++) {
      DataMessage message = message(kind);
      MemorySegment frame = encode(envelope(), message);
      MemorySegment longer = arena.allocate(frame.byteSize() + 1);
      longer.copyFrom(frame);
      assertThrows(MalformedFrameException.class, () -> codec.decode(longer), "kind " + kind);
    }
  }

  @Test
  void shouldThrowNothingButMalformedAndStayInsideTheFrame() {
    int refused = 0;
    int read = 0;
    for (int round = 0; round < 12; round++) {
      for (int kind = 0; kind < KINDS; kind++) {
        MemorySegment frame = encode(envelope(), message(kind));
        for (long at = 0; at < frame.byteSize(); at++) {
          byte was = frame.get(ValueLayout.JAVA_BYTE, at);
          frame.set(ValueLayout.JAVA_BYTE, at, (byte) random.nextInt());
          if (isRead(frame)) {
            read++;
          } else {
            refused++;
          }
          frame.set(ValueLayout.JAVA_BYTE, at, was);
        }
      }
    }
    assertTrue(refused > 1000 && read > 1000, refused + " refused, " + read + " read");
  }

  @Test
  void shouldSurviveNoise() {
    MessageCodec fresh = new MessageCodec();
    for (int round = 0; round < 5_000; round++) {
      byte[] noise = new byte[random.nextInt(400)];
      random.nextBytes(noise);
      MemorySegment frame = arena.allocate(noise.length + 8).asSlice(0, noise.length);
      frame.copyFrom(MemorySegment.ofArray(noise));
      if (noise.length > 8) { // A sound header, so that bodies are reached as well.
        MemorySegment sound = encode(envelope(), message(random.nextInt(KINDS)));
        frame.asSlice(0, 8).copyFrom(sound.asSlice(0, 8));
      }
      try {
        assertInside(frame, fresh.decode(frame).message());
      } catch (MalformedFrameException expected) {
        assertFalse(expected.getMessage().isEmpty());
      }
    }
  }

  /** Reads twice with other bytes behind the frame: what was read must not depend on them. */
  private boolean isRead(MemorySegment frame) {
    List<Object> first;
    try {
      MessageCodec.Decoded decoded = codec.decode(frame);
      assertInside(frame, decoded.message());
      first = content(decoded.message());
    } catch (MalformedFrameException expected) {
      return false;
    }
    guardOf(frame).fill((byte) random.nextInt());
    try {
      assertEquals(first, content(codec.decode(frame).message()));
    } catch (MalformedFrameException e) {
      throw new AssertionError("bytes behind the frame were read", e);
    }
    return true;
  }

  @SuppressWarnings("restricted")
  private static MemorySegment guardOf(MemorySegment frame) {
    return MemorySegment.ofAddress(frame.address() + frame.byteSize()).reinterpret(GUARD_BYTES);
  }

  private static void assertInside(MemorySegment frame, DataMessage message) {
    try {
      for (var component : message.getClass().getRecordComponents()) {
        Object value = component.getAccessor().invoke(message);
        if (value instanceof Payload payload) {
          long from = payload.segment().address() - frame.address();
          assertTrue(from >= 0 && from + payload.lengthBytes() <= frame.byteSize());
        }
      }
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(e.getMessage(), e);
    }
  }

  @Test
  void shouldRefuseOtherSchemasAndVersions() {
    for (int field : new int[] {2, 4, 6}) { // template, schema and version of SBE's header
      MemorySegment frame = encode(envelope(), message(0));
      frame.set(ValueLayout.JAVA_SHORT_UNALIGNED, field, (short) 999);
      assertThrows(MalformedFrameException.class, () -> codec.decode(frame), "field " + field);
    }
  }

  @Test
  void shouldRefuseHeadersThatNoSenderWrites() {
    TxHeader sound = header();
    List<TxHeader> broken =
        List.of(
            withParts(sound, -1, 4),
            withParts(sound, 4, 4),
            withParts(sound, 0, 0),
            withSequence(sound, 0),
            withSequence(sound, -5));
    for (TxHeader header : broken) {
      MemorySegment frame =
          encode(envelope(), new DataMessage.StageShard(header, participants(), 0, payload(4)));
      assertThrows(MalformedFrameException.class, () -> codec.decode(frame), header.toString());
    }
    MemorySegment noParticipants =
        encode(envelope(), new DataMessage.StageShard(sound, Participants.of(), 0, payload(4)));
    assertThrows(MalformedFrameException.class, () -> codec.decode(noParticipants));
  }

  private static TxHeader withParts(TxHeader h, int part, int parts) {
    return new TxHeader(h.tx(), h.watermark(), h.learningRate(), h.owner(), h.range(), part, parts);
  }

  private static TxHeader withSequence(TxHeader h, long sequence) {
    TxId tx = new TxId(h.tx().worker(), h.tx().incarnation(), sequence);
    return new TxHeader(
        tx, h.watermark(), h.learningRate(), h.owner(), h.range(), h.part(), h.parts());
  }
}
