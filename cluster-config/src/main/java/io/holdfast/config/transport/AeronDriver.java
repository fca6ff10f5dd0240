package io.holdfast.config.transport;

import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A media driver inside this process: one thread that does all of its work, and one that resolves
 * names. Neither spins, so that they are cheap where there are few cores.
 */
final class AeronDriver implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(AeronDriver.class);

  /** Aeron's largest; frames below it travel unfragmented through shared memory. */
  private static final int IPC_MTU_BYTES = 65_504;

  /** Longest sleep of the idle driver: it is what a sender waits for a free window at most. */
  private static final long MAX_PARK_NANOS = TimeUnit.MICROSECONDS.toNanos(500);

  private final MediaDriver driver;

  private AeronDriver(MediaDriver driver) {
    this.driver = driver;
  }

  /**
   * Starts a driver.
   *
   * @param directory fresh, or left by a driver whose process is gone
   * @throws io.aeron.driver.exceptions.ActiveDriverException if another driver runs there
   */
  static AeronDriver start(AeronSettings settings, Path directory) {
    DriverDirectories.removeIfDead(directory);
    long liveness = settings.livenessNanos();
    MediaDriver.Context context =
        new MediaDriver.Context()
            .aeronDirectoryName(directory.toString())
            // Deleting on start would also delete the directory of a driver that runs.
            .dirDeleteOnStart(false)
            .dirDeleteOnShutdown(true)
            .warnIfDirectoryExists(false)
            .threadingMode(ThreadingMode.SHARED)
            .sharedIdleStrategy(idle())
            .sharedThreadFactory(work -> daemon(work, "aeron-driver"))
            .asyncExecutorThreadFactory(work -> daemon(work, "aeron-driver-names"))
            .errorHandler(AeronDriver::report)
            .termBufferSparseFile(false)
            .performStorageChecks(true)
            .driverTimeoutMs(TimeUnit.NANOSECONDS.toMillis(liveness))
            .clientLivenessTimeoutNs(liveness)
            .publicationUnblockTimeoutNs(liveness + liveness / 2)
            .imageLivenessTimeoutNs(liveness)
            .publicationConnectionTimeoutNs(liveness)
            .timerIntervalNs(Math.min(TimeUnit.SECONDS.toNanos(1), liveness / 10))
            .ipcTermBufferLength(settings.termBytes())
            .ipcMtuLength(Math.min(IPC_MTU_BYTES, settings.maxFrameBytes()));
    if (settings.channel() == ChannelKind.UDP) {
      context
          .publicationTermBufferLength(settings.termBytes())
          .mtuLength(settings.mtuBytes())
          .initialWindowLength(settings.windowBytes())
          .socketSndbufLength(settings.socketBufferBytes())
          .socketRcvbufLength(settings.socketBufferBytes());
    }
    return new AeronDriver(MediaDriver.launch(context));
  }

  private static IdleStrategy idle() {
    return new BackoffIdleStrategy(10, 5, TimeUnit.MICROSECONDS.toNanos(50), MAX_PARK_NANOS);
  }

  static Thread daemon(Runnable work, String name) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    return thread;
  }

  private static void report(Throwable error) {
    LOG.error("The Aeron media driver reports: {}", error.getMessage(), error);
  }

  /** Stops the driver's threads and removes its directory. */
  @Override
  public void close() {
    driver.close();
  }
}
