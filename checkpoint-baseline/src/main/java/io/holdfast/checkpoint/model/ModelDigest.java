package io.holdfast.checkpoint.model;

import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.ModelVisitor;
import io.holdfast.config.model.OptimizerSpec;
import io.holdfast.config.model.RowLayout;
import io.holdfast.config.model.TableSpec;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * The model digest: SHA-256 over a model in canonical order. Two models of one shape have the same
 * digest if all their parameters and their optimizer state are equal bit for bit. It depends
 * neither on the number of servers nor on the length of an NN shard, because neither takes part.
 *
 * <p>The digested bytes, in this order. Integers and floats are little endian; a float is its IEEE
 * 754 bits as they are (so {@code -0} differs from {@code 0}, and NaNs by their payload).
 *
 * <ol>
 *   <li>{@code holdfast-model-1}: 16 ASCII bytes
 *   <li>int32 {@code dim}; int32 number of tables; for each table int32 column, int64 rows
 *   <li>int32 length of the optimizer's name; the name as in {@link
 *       io.holdfast.config.model.OptimizerKind#option}, ASCII
 *   <li>int64 seed of initial values
 *   <li>for each row that was ever updated, in increasing order: int64 global row, {@code dim}
 *       floats of weights, the floats of state. Not the count of its updates.
 *   <li>int64 -1, which is no row
 *   <li>int64 number of the NN's weights, the weights; int64 number of floats of its state, the
 *       state
 * </ol>
 *
 * <p>The optimizer's constants, the widths of the MLPs and the interaction do not take part.
 */
public final class ModelDigest implements ModelVisitor {
  private static final String CONSTANT = "holdfast-model-1";
  private static final int BUFFER_BYTES = 64 << 10;
  private static final long END_OF_ROWS = -1;

  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
  private static final ValueLayout.OfFloat FLOAT_LE = FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT_LE =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG_LE =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final MessageDigest sha256 = sha256();

  // On the heap: MessageDigest copies direct memory in small pieces.
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private final MemorySegment segment = MemorySegment.ofArray(buffer);
  private final CanonicalOrder order;
  private final int rowFloats;
  private int used;
  private String hex;

  /** An empty digest of a model. */
  public ModelDigest(ModelSpec model, OptimizerSpec optimizer, long seed) {
    order = new CanonicalOrder(model, optimizer);
    rowFloats = RowLayout.of(model, optimizer).rowFloats();
    putAscii(CONSTANT);
    putInt(model.dim());
    putInt(model.tables().size());
    for (TableSpec table : model.tables()) {
      putInt(table.column());
      putLong(table.rows());
    }
    String kind = optimizer.kind().option();
    putInt(kind.length());
    putAscii(kind);
    putLong(seed);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform must have SHA-256", e);
    }
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if rows do not come in increasing order
   */
  @Override
  public void row(long row, int updates, MemorySegment values, long offsetBytes) {
    order.row(row, updates);
    putLong(row);
    putFloats(values, offsetBytes, rowFloats);
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if it comes twice or in a length that is not the model's
   */
  @Override
  public void nn(long updates, MemorySegment weights, MemorySegment state) {
    order.nn(updates, weights, state);
    putLong(END_OF_ROWS);
    putVector(weights);
    putVector(state);
  }

  /**
   * The digest, 64 lower-case hexadecimal digits.
   *
   * @throws IllegalStateException if the model was not told to its end
   */
  public String hex() {
    order.requireComplete();
    if (hex == null) {
      flush();
      hex = HexFormat.of().formatHex(sha256.digest());
    }
    return hex;
  }

  private void putVector(MemorySegment floats) {
    long count = floats.byteSize() / Float.BYTES;
    putLong(count);
    putFloats(floats, 0, count);
  }

  private void putFloats(MemorySegment floats, long offsetBytes, long count) {
    long done = 0;
    while (done < count) {
      if (BUFFER_BYTES - used < Float.BYTES) {
        flush();
      }
      int part = (int) Math.min(count - done, (BUFFER_BYTES - used) / Float.BYTES);
      MemorySegment.copy(
          floats, FLOAT, offsetBytes + done * Float.BYTES, segment, FLOAT_LE, used, part);
      used += part * Float.BYTES;
      done += part;
    }
  }

  private void putLong(long value) {
    reserve(Long.BYTES);
    segment.set(LONG_LE, used, value);
    used += Long.BYTES;
  }

  private void putInt(int value) {
    reserve(Integer.BYTES);
    segment.set(INT_LE, used, value);
    used += Integer.BYTES;
  }

  private void putAscii(String text) {
    flush();
    sha256.update(text.getBytes(StandardCharsets.US_ASCII));
  }

  private void reserve(int bytes) {
    if (BUFFER_BYTES - used < bytes) {
      flush();
    }
  }

  private void flush() {
    sha256.update(buffer, 0, used);
    used = 0;
  }
}
