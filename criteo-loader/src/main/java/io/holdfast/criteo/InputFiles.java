package io.holdfast.criteo;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** Finds data files by path or glob. */
public final class InputFiles {
  private InputFiles() {}

  /**
   * The files that paths and globs name: in the order given, and each glob's by path.
   *
   * <p>Something that exists is taken as it is; else {@code * ? [] {}} make it a glob, in which
   * {@code **} crosses directories.
   *
   * @throws CriteoDataException if one names nothing, no regular file, an empty file, or a file
   *     that another one names too (its lines would be read twice)
   */
  public static List<InputFile> find(List<String> pathsOrGlobs) {
    if (pathsOrGlobs.isEmpty()) {
      throw new CriteoDataException("no data file is named");
    }
    List<InputFile> files = new ArrayList<>();
    Set<Path> seen = new HashSet<>();
    for (String pattern : pathsOrGlobs) {
      for (Path path : expand(pattern)) {
        if (!seen.add(realPath(path))) {
          throw new CriteoDataException(path + ": is named twice");
        }
        files.add(InputFile.of(path));
      }
    }
    return List.copyOf(files);
  }

  private static List<Path> expand(String pattern) {
    if (!isGlob(pattern) || Files.exists(Path.of(pattern))) {
      return List.of(Path.of(pattern));
    }
    Path base = Path.of(pattern).isAbsolute() ? Path.of("/") : Path.of("");
    int depth = 0;
    for (Path name : Path.of(pattern)) {
      if (depth > 0 || isGlob(name.toString())) {
        depth++;
      } else {
        base = base.resolve(name);
      }
    }
    if (!Files.isDirectory(base)) {
      throw new CriteoDataException(pattern + ": there is no directory " + base);
    }
    PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + pattern);
    int levels = pattern.contains("**") ? Integer.MAX_VALUE : depth;
    List<Path> found;
    try (Stream<Path> walk = Files.walk(base, levels)) {
      found = walk.filter(matcher::matches).filter(Files::isRegularFile).sorted().toList();
    } catch (IOException e) {
      throw new CriteoDataException(pattern + ": cannot be listed: " + e, e);
    }
    if (found.isEmpty()) {
      throw new CriteoDataException(pattern + ": matches no file");
    }
    return found;
  }

  private static boolean isGlob(String pattern) {
    return pattern.chars().anyMatch(c -> "*?[{".indexOf(c) >= 0);
  }

  private static Path realPath(Path path) {
    try {
      return path.toRealPath();
    } catch (IOException e) {
      // What does not exist is reported, with a better reason, by InputFile.of.
      return path.toAbsolutePath();
    }
  }
}
