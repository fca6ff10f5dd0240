package io.holdfast.checkpoint.model;

import java.io.IOException;
import java.nio.file.Path;

/** A saved model that is missing, damaged or of another kind. The message starts with the file. */
public final class SavedModelException extends IOException {
  private static final long serialVersionUID = 1L;

  SavedModelException(Path file, String what) {
    super(file + ": " + what);
  }

  SavedModelException(Path file, String what, Throwable cause) {
    super(file + ": " + what, cause);
  }
}
