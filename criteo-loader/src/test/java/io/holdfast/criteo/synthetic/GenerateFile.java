package io.holdfast.criteo.synthetic;

import java.nio.file.Path;

/** By hand: {@code GenerateFile ROWS SEED FILE}. */
final class GenerateFile {
  private GenerateFile() {}

  public static void main(String[] arguments) {
    long rows = Long.parseLong(arguments[0]);
    long seed = Long.parseLong(arguments[1]);
    System.out.println(Generator.write(GeneratorOptions.of(rows, seed, Path.of(arguments[2]))));
  }
}
