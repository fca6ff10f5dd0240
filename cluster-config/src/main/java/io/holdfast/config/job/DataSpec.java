package io.holdfast.config.job;

import java.util.List;

/**
 * Which lines are read, and how. Every worker must be able to open the files under these names.
 *
 * @param files data files in their order
 * @param lengths uncompressed length of each file in bytes, once the coordinator has measured them;
 *     empty before
 * @param hashIds true: categories are hashed into a table's rows; false: modulo
 * @param badLineLimit bad lines that are skipped before the job fails; 0: the first one fails it
 * @param cache preprocessed form of the files, or an empty string
 */
public record DataSpec(
    List<String> files, List<Long> lengths, boolean hashIds, long badLineLimit, String cache) {
  public DataSpec {
    files = List.copyOf(files);
    lengths = List.copyOf(lengths);
    if (!lengths.isEmpty() && lengths.size() != files.size()) {
      throw new IllegalArgumentException(lengths.size() + " lengths of " + files.size() + " files");
    }
  }
}
