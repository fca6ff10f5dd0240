package io.holdfast.checkpoint.model;

import io.holdfast.config.model.ModelVisitor;
import io.holdfast.config.model.NnLayout;
import io.holdfast.config.model.RowLayout;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A model in a directory. Nothing is held open between calls.
 *
 * <p>Whatever is wrong with the files is a {@link SavedModelException} that names file, place and
 * what would be right; any other {@link IOException} comes from the file system.
 */
public final class SavedModel {

  /** Is told how far a long read is. */
  @FunctionalInterface
  public interface Progress {
    /**
     * Called after each part.
     *
     * @param doneBytes read so far, of all files together
     * @param totalBytes of all files together
     */
    void at(long doneBytes, long totalBytes);
  }

  private final Path directory;
  private final Manifest manifest;

  SavedModel(Path directory, Manifest manifest) {
    this.directory = directory;
    this.manifest = manifest;
  }

  /**
   * Opens a model: reads and checks the manifest, and that all files are there in their full
   * length. Their contents are checked by {@link #verify} and by {@link #visit}.
   */
  public static SavedModel open(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      throw new SavedModelException(directory, "there is no such directory");
    }
    if (!Files.isDirectory(directory)) {
      throw new SavedModelException(directory, "is a file; a saved model is a directory");
    }
    Path file = directory.resolve(Manifest.FILE);
    if (!Files.isRegularFile(file)) {
      throw new SavedModelException(
          file, "is missing: " + directory + " is not a saved model, or not a complete one");
    }
    Manifest manifest = ManifestCodec.read(file);
    for (SavedFile saved : manifest.files()) {
      requireLength(directory.resolve(saved.name()), saved.bytes());
    }
    return new SavedModel(directory, manifest);
  }

  private static void requireLength(Path file, long bytes) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new SavedModelException(file, "is missing");
    }
    long found = Files.size(file);
    if (found != bytes) {
      throw new SavedModelException(
          file,
          "has "
              + found
              + " bytes, must have "
              + bytes
              + (found < bytes ? ": it was cut off" : ": something was appended"));
    }
  }

  public Path directory() {
    return directory;
  }

  public Manifest manifest() {
    return manifest;
  }

  /** Bytes of all files but the manifest. */
  public long bytes() {
    return manifest.files().stream().mapToLong(SavedFile::bytes).sum();
  }

  /**
   * Reads every byte and compares the checksums.
   *
   * @throws SavedModelException naming the first file that is not as it was saved
   */
  public void verify(Progress progress) throws IOException {
    long done = 0;
    for (SavedFile saved : manifest.files()) {
      long before = done;
      try (ChecksummedInput in = new ChecksummedInput(directory, saved)) {
        in.skipAll(read -> progress.at(before + read, bytes()));
        in.finish();
      }
      done += saved.bytes();
    }
  }

  /**
   * Tells the whole model, in one pass over the files. Checksums are compared on the way: if this
   * throws, the visitor may have seen damaged values and must drop them; if it returns, all were
   * right. The NN's segments are valid until {@link ModelVisitor#nn} returns.
   *
   * @throws SavedModelException if a file is not as it was saved
   */
  public void visit(ModelVisitor visitor) throws IOException {
    visitRows(visitor);
    visitNn(visitor);
  }

  private void visitRows(ModelVisitor visitor) throws IOException {
    ModelDescription description = manifest.description();
    CanonicalOrder order = new CanonicalOrder(description.model(), description.optimizer());
    RowLayout layout = RowLayout.of(description.model(), description.optimizer());
    try (Arena arena = Arena.ofShared();
        ChecksummedInput in = new ChecksummedInput(directory, manifest.rowsFile())) {
      MemorySegment values = arena.allocate(layout.rowBytes(), Float.BYTES);
      for (long i = 0; i < manifest.rows(); i++) {
        long row = in.getLong();
        int updates = in.getInt();
        requireOrder(order, i, row, updates);
        in.getFloats(values, layout.rowFloats());
        visitor.row(row, updates, values, 0);
      }
      in.finish();
    }
  }

  private void requireOrder(CanonicalOrder order, long record, long row, int updates)
      throws SavedModelException {
    try {
      order.row(row, updates);
    } catch (IllegalArgumentException e) {
      throw new SavedModelException(
          directory.resolve(Manifest.ROWS_FILE),
          "record "
              + record
              + " at byte "
              + record * Manifest.recordBytes(manifest.description())
              + " is damaged: "
              + e.getMessage(),
          e);
    }
  }

  private void visitNn(ModelVisitor visitor) throws IOException {
    long weightFloats = NnLayout.of(manifest.description().model()).parameters();
    long stateFloats = Manifest.nnStateFloats(manifest.description());
    try (Arena arena = Arena.ofShared();
        ChecksummedInput in = new ChecksummedInput(directory, manifest.nnFile())) {
      MemorySegment weights = arena.allocate(weightFloats * Float.BYTES, Float.BYTES);
      MemorySegment state = arena.allocate(stateFloats * Float.BYTES, Float.BYTES);
      long updates = in.getLong();
      in.getFloats(weights, weightFloats);
      in.getFloats(state, stateFloats);
      in.finish();
      if (updates != manifest.nnUpdates()) {
        throw new SavedModelException(
            directory.resolve(Manifest.NN_FILE),
            "tells " + updates + " updates, the manifest " + manifest.nnUpdates());
      }
      visitor.nn(updates, weights, state);
    }
  }
}
