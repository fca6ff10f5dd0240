package io.holdfast.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;

/**
 * What moving bytes alone costs on this machine: one block over a TCP connection of the loopback
 * interface, read into memory by another thread, which answers with one byte.
 */
final class LoopbackTcp implements AutoCloseable {
  private static final int BUFFER_BYTES = 1 << 20;

  private final ByteBuffer block;
  private final ByteBuffer answer = ByteBuffer.allocateDirect(1);
  private final ServerSocketChannel listener;
  private final SocketChannel sender;
  private final Thread receiver;

  LoopbackTcp(int blockBytes) throws IOException {
    block = ByteBuffer.allocateDirect(blockBytes);
    while (block.hasRemaining()) {
      block.put((byte) block.position());
    }
    listener = ServerSocketChannel.open();
    listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    sender = SocketChannel.open(listener.getLocalAddress());
    sender.setOption(StandardSocketOptions.TCP_NODELAY, true);
    sender.setOption(StandardSocketOptions.SO_SNDBUF, BUFFER_BYTES);
    SocketChannel accepted = listener.accept();
    accepted.setOption(StandardSocketOptions.TCP_NODELAY, true);
    accepted.setOption(StandardSocketOptions.SO_RCVBUF, BUFFER_BYTES);
    receiver = Thread.ofPlatform().daemon().name("loopback").start(() -> receive(accepted));
    double unusedWarmUp = gigabytesPerSecond(200);
  }

  private void receive(SocketChannel from) {
    ByteBuffer target = ByteBuffer.allocateDirect(block.capacity());
    ByteBuffer done = ByteBuffer.allocateDirect(1);
    try (from) {
      while (from.read(target) >= 0) {
        if (!target.hasRemaining()) {
          target.clear();
          from.write(done.clear());
        }
      }
    } catch (IOException e) {
      // The sender sees it too.
    }
  }

  double gigabytesPerSecond(int millis) {
    long bytes = 0;
    long start = System.nanoTime();
    long end = start + TimeUnit.MILLISECONDS.toNanos(millis);
    try {
      while (System.nanoTime() < end) {
        block.rewind();
        while (block.hasRemaining()) {
          sender.write(block);
        }
        answer.clear();
        if (sender.read(answer) < 0) {
          throw new IOException("the receiver has ended");
        }
        bytes += block.capacity();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return (double) bytes / (System.nanoTime() - start);
  }

  @Override
  public void close() throws IOException {
    sender.close();
    listener.close();
    try {
      receiver.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
