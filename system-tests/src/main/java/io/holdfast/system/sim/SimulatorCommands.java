package io.holdfast.system.sim;

import io.holdfast.launcher.cli.MoreCommands;
import java.util.List;

/** Adds {@code simulate} to the {@code holdfast} command. */
public final class SimulatorCommands implements MoreCommands {
  @Override
  public List<Object> commands() {
    return List.of(new SimulateCommand());
  }
}
