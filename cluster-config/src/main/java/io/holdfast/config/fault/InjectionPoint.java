package io.holdfast.config.fault;

import java.util.Locale;

/** Places in the protocol at which a process can be told to fail. */
public enum InjectionPoint {
  /**
   * Of a server: all parts of a transaction are staged here, and that is not said yet. Of a worker:
   * a transaction is staged everywhere, and no commit is sent yet.
   */
  STAGED,

  /**
   * Of a server: a commit has come, and nothing is applied yet. Of a worker: some of a
   * transaction's participants were sent their commit, others not.
   */
  COMMITTING,

  /** Of a server: a transaction is applied here, and no holder has acknowledged it yet. */
  APPLYING,

  /** A new epoch has come, and it is not adopted yet. */
  EPOCH,

  /** Of a server that is being rebuilt, or that helps to: a piece of the share is on its way. */
  REBUILD;

  /** As people write it. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
