package io.holdfast.server.transaction;

import java.util.EnumSet;
import java.util.Set;

/**
 * What a server knows of one transaction.
 *
 * <pre>
 *   (unknown)
 *       |  first part
 *       v            last part              decision               optimizer ran             all redundant
 *    STAGING ----------------> STAGED ----------------> COMMITTED ----------------> APPLYING --------------> APPLIED
 *       |                        |                                                                             |
 *       |  the worker is dead    |  the worker is dead and nobody                                              |  watermark
 *       v                        v  knows of a decision                                                        v
 *    DROPPED                  DROPPED                                                                     (forgotten)
 * </pre>
 *
 * <ul>
 *   <li>STAGING: some parts are here. Nothing was promised.
 *   <li>STAGED: all parts are here and checked, so applying them cannot fail. The server has
 *       promised to apply them if the worker decides so.
 *   <li>COMMITTED: the worker decided, or the servers did after its death. From here there is no
 *       way back. Lasts within one step only.
 *   <li>APPLYING: rows and NN shards have changed here; redundant holders have not all acknowledged
 *       it. Without redundancy this too lasts within one step only.
 *   <li>APPLIED: done; only the sequence number is kept, until the watermark passes it.
 *   <li>DROPPED: will never be applied; only the fence on its worker is kept.
 * </ul>
 */
public enum TransactionState {
  STAGING,
  STAGED,
  COMMITTED,
  APPLYING,
  APPLIED,
  DROPPED;

  private Set<TransactionState> successors() {
    return switch (this) {
      case STAGING -> EnumSet.of(STAGED, DROPPED);
      case STAGED -> EnumSet.of(COMMITTED, DROPPED);
      case COMMITTED -> EnumSet.of(APPLYING);
      case APPLYING -> EnumSet.of(APPLIED);
      case APPLIED, DROPPED -> EnumSet.noneOf(TransactionState.class);
    };
  }

  /**
   * The next state.
   *
   * @throws IllegalStateException if the diagram has no such arrow: a bug, and values may be wrong
   */
  public TransactionState to(TransactionState next) {
    if (!successors().contains(next)) {
      throw new IllegalStateException("a transaction cannot go from " + this + " to " + next);
    }
    return next;
  }
}
