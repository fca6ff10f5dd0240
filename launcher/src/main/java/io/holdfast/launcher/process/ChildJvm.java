package io.holdfast.launcher.process;

import java.io.BufferedReader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A process that runs the same Java, flags, class path and environment as this one.
 *
 * <p>All that it prints arrives line by line under its name. It must call {@link ParentWatch#start}
 * first, so that it ends when this process does. Safe for several threads.
 */
public final class ChildJvm implements AutoCloseable {
  private static final long STOP_SECONDS = 10;

  /** Java says so of the Vector API at each start; once, by the parent, is enough. */
  private static final String SAID_BY_EVERY_JVM = "WARNING: Using incubator modules:";

  private final String name;
  private final Process process;
  private final Thread pump;

  private ChildJvm(String name, Process process, Thread pump) {
    this.name = name;
    this.process = process;
    this.pump = pump;
  }

  /**
   * Starts a child.
   *
   * @param name what people call it: {@code worker-1}
   * @param flags of its JVM; go before those that it inherits: {@code -Xmx1g}
   * @param mainClass class to run
   * @param arguments its arguments
   * @param environment variables beside those of this process
   * @param output gets its lines, {@code [name] } before each, on a thread of its own
   */
  public static ChildJvm start(
      String name,
      List<String> flags,
      Class<?> mainClass,
      List<String> arguments,
      Map<String, String> environment,
      Consumer<String> output)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(inheritedFlags());
    command.addAll(flags);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(mainClass.getName());
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    // As scripts/holdfast does, for those who start without it.
    builder.environment().remove("OPENBLAS_CORETYPE");
    builder.environment().remove("OPENBLAS_L2_SIZE");
    builder.environment().put("OMP_WAIT_POLICY", "PASSIVE");
    builder.environment().putAll(environment);
    Process process = builder.start();
    Thread pump =
        Thread.ofPlatform()
            .daemon()
            .name("output-of-" + name)
            .start(() -> pump(process, "[" + name + "] ", output));
    return new ChildJvm(name, process, pump);
  }

  /** Flags of this JVM without those that two processes cannot share. */
  static List<String> inheritedFlags() {
    return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(flag -> !flag.startsWith("-agentlib:jdwp") && !flag.startsWith("-javaagent:"))
        .toList();
  }

  private static void pump(Process process, String prefix, Consumer<String> output) {
    try (BufferedReader lines = process.inputReader(Charset.defaultCharset())) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (!line.startsWith(SAID_BY_EVERY_JVM)) {
          output.accept(prefix + line);
        }
      }
    } catch (IOException e) {
      output.accept(prefix + "(its output cannot be read any more: " + e.getMessage() + ")");
    }
  }

  public String name() {
    return name;
  }

  public long pid() {
    return process.pid();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** Completes with the exit status once the child has ended and all its output is delivered. */
  public CompletableFuture<Integer> onExit() {
    return process
        .onExit()
        .thenApplyAsync(
            ended -> {
              try {
                pump.join();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              return ended.exitValue();
            },
            // Not the common pool: on two cores it has one thread, and whoever blocks that one
            // would keep a death from being told.
            task -> Thread.ofPlatform().daemon().name("exit-of-" + name).start(task));
  }

  /**
   * Says a line to the child: it reads it from its standard input. Does nothing if the child has
   * ended.
   */
  public void say(String line) {
    try {
      // Not the writer of the process: that one would hold back what did not fit into the pipe.
      process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
      process.getOutputStream().flush();
    } catch (IOException e) {
      // It has ended.
    }
  }

  /** Kills the child at once, as {@code kill -9} does. */
  public void kill() {
    process.destroyForcibly();
  }

  /** Asks the child to end, waits a while, then kills it. Does nothing to one that has ended. */
  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
