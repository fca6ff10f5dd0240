package io.holdfast.launcher;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.Properties;

/** Which Holdfast this is. */
public final class BuildInfo {
  private static final String VERSION = readVersion();

  private BuildInfo() {}

  /** The version, such as {@code 0.1.0}. */
  public static String version() {
    return VERSION;
  }

  /** The commit that it was built from, if {@code scripts/holdfast} could tell. */
  public static Optional<String> commit() {
    return Optional.ofNullable(System.getProperty("holdfast.commit")).filter(c -> !c.isBlank());
  }

  private static String readVersion() {
    try (InputStream in = BuildInfo.class.getResourceAsStream("build.properties")) {
      Properties properties = new Properties();
      properties.load(in);
      return properties.getProperty("version");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
