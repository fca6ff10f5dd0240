package io.holdfast.criteo;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import java.util.zip.ZipException;

/**
 * Decompresses gzip (RFC 1952) with any number of members.
 *
 * <p>The JDK's GZIPInputStream takes a second member that is damaged at its start for trailing
 * garbage and ends silently; here everything after a member must be another one, or zeros.
 */
final class GzipStream extends InputStream {
  private static final int FLAG_HEADER_CRC = 2;
  private static final int FLAG_EXTRA = 4;
  private static final int FLAG_NAME = 8;
  private static final int FLAG_COMMENT = 16;

  private final InputStream in;
  private final Inflater inflater = new Inflater(true);
  private final CRC32 crc = new CRC32();
  private final byte[] input = new byte[1 << 16];
  private int at;
  private int end;
  private boolean inMember;
  private boolean finished;
  private long members;

  GzipStream(InputStream in) {
    this.in = in;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    while (!finished) {
      if (!inMember && !beginMember()) {
        finished = true;
        break;
      }
      int count = inflate(target, offset, length);
      if (count > 0) {
        crc.update(target, offset, count);
        return count;
      }
      endMember();
    }
    return -1;
  }

  /** Bytes of the current member, 0 at its end. */
  private int inflate(byte[] target, int offset, int length) throws IOException {
    try {
      while (true) {
        int count = inflater.inflate(target, offset, length);
        if (count > 0 || inflater.finished()) {
          return count;
        }
        if (inflater.needsDictionary()) {
          throw new ZipException("gzip member " + members + " asks for a dictionary");
        }
        if (inflater.needsInput()) {
          if (at == end && !fill()) {
            throw truncated();
          }
          inflater.setInput(input, at, end - at);
          at = end;
        }
      }
    } catch (DataFormatException e) {
      throw new ZipException("corrupt gzip data in member " + members + ": " + e.getMessage());
    }
  }

  private boolean beginMember() throws IOException {
    int first = peekHeader();
    if (first < 0) {
      return false;
    }
    members++;
    if (first != 0x1f || next() != 0x8b) {
      throw new ZipException("what follows gzip member " + (members - 1) + " is not gzip");
    }
    crc.reset();
    int method = next();
    int flags = next();
    if (method != 8) {
      throw new ZipException("gzip member " + members + " has unknown method " + method);
    }
    skip(6);
    if ((flags & FLAG_EXTRA) != 0) {
      skip(next() | next() << 8);
    }
    if ((flags & FLAG_NAME) != 0) {
      skipString();
    }
    if ((flags & FLAG_COMMENT) != 0) {
      skipString();
    }
    if ((flags & FLAG_HEADER_CRC) != 0) {
      skip(2);
    }
    inflater.reset();
    inMember = true;
    return true;
  }

  /** The next member's first byte, or -1 at the end; zeros after a member are padding. */
  private int peekHeader() throws IOException {
    do {
      if (at == end && !fill()) {
        return -1;
      }
    } while (input[at++] == 0 && members > 0);
    return input[at - 1] & 0xff;
  }

  private void endMember() throws IOException {
    at = end - inflater.getRemaining();
    long size = inflater.getBytesWritten() & 0xffffffffL;
    long expectedCrc = nextInt();
    long expectedSize = nextInt();
    if (expectedCrc != crc.getValue() || expectedSize != size) {
      throw new ZipException(
          "gzip checksum of member %d is %08x over %d bytes, its trailer says %08x over %d"
              .formatted(members, crc.getValue(), size, expectedCrc, expectedSize));
    }
    inMember = false;
  }

  private boolean fill() throws IOException {
    at = 0;
    end = Math.max(0, in.read(input, 0, input.length));
    return end > 0;
  }

  private int next() throws IOException {
    if (at == end && !fill()) {
      throw truncated();
    }
    return input[at++] & 0xff;
  }

  private long nextInt() throws IOException {
    return next() | next() << 8 | next() << 16 | (long) next() << 24;
  }

  private void skip(int count) throws IOException {
    for (int i = 0; i < count; i++) {
      next();
    }
  }

  private void skipString() throws IOException {
    while (next() != 0) {}
  }

  private EOFException truncated() {
    return new EOFException("gzip data ends inside member " + members);
  }

  @Override
  public void close() throws IOException {
    inflater.end();
    in.close();
  }
}
