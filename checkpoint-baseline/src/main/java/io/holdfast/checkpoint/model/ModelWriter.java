package io.holdfast.checkpoint.model;

import io.holdfast.config.model.ModelVisitor;
import io.holdfast.config.model.RowLayout;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;

/**
 * Saves a model. Everything is written to a hidden directory beside the wanted one, forced to the
 * disk, and renamed in {@link #commit}: at any instant, and after a crash at any instant, the
 * wanted directory holds the whole model or nothing.
 *
 * <p>Not thread safe. After an error only {@link #close} may follow.
 */
public final class ModelWriter implements ModelVisitor, AutoCloseable {

  /** Opens a new file for writing; tests put a full disk here. */
  interface FileOpener {
    FileChannel open(Path file) throws IOException;
  }

  private enum Status {
    OPEN,
    FAILED,
    COMMITTED,
    CLOSED
  }

  private final Path directory;
  private final Path temporary;
  private final ModelDescription description;
  private final FileOpener opener;
  private final CanonicalOrder order;
  private final ModelDigest digest;
  private final int rowFloats;
  private ChecksummedOutput rows;
  private SavedFile nnFile;
  private long nnUpdates;
  private Status status = Status.OPEN;

  private ModelWriter(
      Path directory, Path temporary, ModelDescription description, FileOpener opener) {
    this.directory = directory;
    this.temporary = temporary;
    this.description = description;
    this.opener = opener;
    order = new CanonicalOrder(description.model(), description.optimizer());
    digest = new ModelDigest(description.model(), description.optimizer(), description.seed());
    rowFloats = RowLayout.of(description.model(), description.optimizer()).rowFloats();
  }

  /**
   * Begins to save.
   *
   * @param directory where the model shall be: absent or an empty directory. Missing parents are
   *     made.
   * @throws FileAlreadyExistsException if anything is there already; it is left as it is
   * @throws IOException if files cannot be made beside {@code directory}
   */
  public static ModelWriter create(Path directory, ModelDescription description)
      throws IOException {
    return create(
        directory,
        description,
        file -> FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW));
  }

  static ModelWriter create(Path directory, ModelDescription description, FileOpener opener)
      throws IOException {
    requireFree(directory);
    // A link to an empty directory cannot be renamed over, but what it names can.
    Path target =
        Files.exists(directory) ? directory.toRealPath() : directory.toAbsolutePath().normalize();
    Files.createDirectories(target.getParent());
    String unique = ProcessHandle.current().pid() + "-" + Long.toHexString(System.nanoTime());
    Path temporary = target.resolveSibling("." + target.getFileName() + ".saving-" + unique);
    Files.createDirectory(temporary);
    ModelWriter writer = new ModelWriter(target, temporary, description, opener);
    try {
      writer.rows = writer.open(Manifest.ROWS_FILE);
      return writer;
    } catch (IOException | RuntimeException e) {
      try {
        writer.close();
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  private static void requireFree(Path directory) throws IOException {
    if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    if (!Files.isDirectory(directory)) {
      throw new FileAlreadyExistsException(
          directory.toString(), null, "is not a directory; name a new one to save the model");
    }
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      if (entries.iterator().hasNext()) {
        throw new FileAlreadyExistsException(
            directory.toString(),
            null,
            "is not empty and is never overwritten; remove it or name a new directory");
      }
    }
  }

  private ChecksummedOutput open(String name) throws IOException {
    Path file = temporary.resolve(name);
    return new ChecksummedOutput(file, opener.open(file));
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if rows do not come in increasing order
   * @throws UncheckedIOException if writing fails, naming the file and the position
   */
  @Override
  public void row(long row, int updates, MemorySegment values, long offsetBytes) {
    begin();
    order.row(row, updates);
    try {
      rows.putLong(row);
      rows.putInt(updates);
      rows.putFloats(values, offsetBytes, rowFloats);
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
    digest.row(row, updates, values, offsetBytes);
    status = Status.OPEN;
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if it comes twice or in a length that is not the model's
   * @throws UncheckedIOException if writing fails, naming the file and the position
   */
  @Override
  public void nn(long updates, MemorySegment weights, MemorySegment state) {
    begin();
    order.nn(updates, weights, state);
    nnUpdates = updates;
    try (ChecksummedOutput nn = open(Manifest.NN_FILE)) {
      nn.putLong(updates);
      nn.putFloats(weights, 0, weights.byteSize() / Float.BYTES);
      nn.putFloats(state, 0, state.byteSize() / Float.BYTES);
      nnFile = nn.finish();
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
    digest.nn(updates, weights, state);
    status = Status.OPEN;
  }

  /**
   * Ends the save: when this returns, the model is at its place and on the disk.
   *
   * @return the model, with its digest in the manifest
   * @throws IllegalStateException if the model was not told to its end, or something failed before
   * @throws FileAlreadyExistsException if something was put at the model's place meanwhile
   * @throws IOException if writing fails
   */
  public SavedModel commit() throws IOException {
    begin();
    order.requireComplete();
    SavedFile rowsFile = rows.finish();
    Manifest manifest =
        new Manifest(description, order.rows(), nnUpdates, List.of(rowsFile, nnFile), digest.hex());
    try (ChecksummedOutput out = open(Manifest.FILE)) {
      out.putBytes(ManifestCodec.encode(manifest));
      out.finish();
    }
    force(temporary);
    requireFree(directory);
    Files.move(temporary, directory, StandardCopyOption.ATOMIC_MOVE);
    status = Status.COMMITTED;
    force(directory.getParent());
    return new SavedModel(directory, manifest);
  }

  /** Whatever begins has failed unless it says that it has not. */
  private void begin() {
    if (status != Status.OPEN) {
      throw new IllegalStateException(
          directory + ": this save is " + status.name().toLowerCase(Locale.ROOT));
    }
    status = Status.FAILED;
  }

  /** Puts a directory's entries on the disk. */
  private static void force(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** Without a {@link #commit} before, removes all that was written. */
  @Override
  public void close() throws IOException {
    if (status == Status.COMMITTED || status == Status.CLOSED) {
      return;
    }
    status = Status.CLOSED;
    if (rows != null) {
      rows.close();
    }
    for (String name : List.of(Manifest.ROWS_FILE, Manifest.NN_FILE, Manifest.FILE)) {
      Files.deleteIfExists(temporary.resolve(name));
    }
    Files.deleteIfExists(temporary);
  }
}
