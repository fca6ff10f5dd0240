package io.holdfast.benchmarks;

import io.holdfast.launcher.cli.MoreCommands;
import java.util.List;

/** Adds {@code bench} to the {@code holdfast} command. */
public final class BenchCommands implements MoreCommands {
  @Override
  public List<Object> commands() {
    return List.of(new BenchCommand());
  }
}
