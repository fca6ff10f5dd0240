package io.holdfast.launcher.cli;

import java.util.List;

/**
 * Subcommands of {@code holdfast} from modules that the launcher does not know. A provider is named
 * in {@code META-INF/services/io.holdfast.launcher.cli.MoreCommands} of a jar on the class path and
 * has a public constructor without parameters; {@link java.util.ServiceLoader} finds it.
 */
public interface MoreCommands {
  /** Objects annotated for picocli, in the order in which help shows them. */
  List<Object> commands();
}
