package io.holdfast.config.transport;

import io.aeron.CncFileDescriptor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.OptionalLong;
import org.agrona.IoUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Directories of media drivers that this process runs. They lie in shared memory, so one that a
 * killed process left behind holds memory until the host restarts: it is removed when the next
 * driver starts.
 */
final class DriverDirectories {
  private static final Logger LOG = LoggerFactory.getLogger(DriverDirectories.class);
  private static final String PREFIX = "holdfast-aeron-";

  /**
   * A driver whose process is not seen may run in another container that shares the memory: its
   * files must be this old as well.
   */
  private static final Duration ABANDONED = Duration.ofMinutes(1);

  private DriverDirectories() {}

  /** Where fresh directories are made: shared memory, or the temporary files' place without it. */
  static Path base() {
    Path shm = Path.of("/dev/shm");
    return Files.isWritable(shm) ? shm : Path.of(System.getProperty("java.io.tmpdir"));
  }

  /** The name of a directory that nobody uses. */
  static Path fresh(Path base, int generation) {
    return base.resolve(PREFIX + ProcessHandle.current().pid() + "-" + hex(generation));
  }

  static String hex(int generation) {
    return String.format("%08x", generation);
  }

  /** Removes what dead processes left in a base directory. */
  static void removeAbandoned(Path base) {
    try (DirectoryStream<Path> candidates = Files.newDirectoryStream(base, PREFIX + "*")) {
      for (Path candidate : candidates) {
        if (isAbandoned(candidate)) {
          LOG.info("Removing {}, left behind by a process that is gone", candidate);
          IoUtil.delete(candidate.toFile(), true);
        }
      }
    } catch (IOException e) {
      LOG.warn("Cannot look for abandoned directories in {}: {}", base, e.toString());
    }
  }

  private static boolean isAbandoned(Path directory) throws IOException {
    String[] parts = directory.getFileName().toString().substring(PREFIX.length()).split("-", -1);
    long pid;
    try {
      pid = Long.parseLong(parts[0]);
    } catch (NumberFormatException e) {
      return false;
    }
    Path cnc = directory.resolve(CncFileDescriptor.CNC_FILE);
    Path dated = Files.exists(cnc) ? cnc : directory;
    Instant touched = Files.getLastModifiedTime(dated).toInstant();
    return !isAlive(pid) && touched.plus(ABANDONED).isBefore(Instant.now());
  }

  /**
   * Makes way for a driver in a directory that was named by the user: removes it if its driver's
   * process is gone. If it lives, the driver that is about to start reports it.
   */
  static void removeIfDead(Path directory) {
    OptionalLong pid = driverPid(directory.resolve(CncFileDescriptor.CNC_FILE));
    if (pid.isPresent() && !isAlive(pid.getAsLong())) {
      IoUtil.delete(directory.toFile(), true);
    }
  }

  private static OptionalLong driverPid(Path cnc) {
    if (!Files.exists(cnc)) {
      return OptionalLong.empty();
    }
    try (FileChannel file = FileChannel.open(cnc, StandardOpenOption.READ)) {
      ByteBuffer header = ByteBuffer.allocate(CncFileDescriptor.META_DATA_LENGTH);
      if (file.read(header, 0) < CncFileDescriptor.END_OF_METADATA_OFFSET) {
        return OptionalLong.empty();
      }
      return OptionalLong.of(CncFileDescriptor.pid(new UnsafeBuffer(header)));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + cnc, e);
    }
  }

  private static boolean isAlive(long pid) {
    return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
  }
}
