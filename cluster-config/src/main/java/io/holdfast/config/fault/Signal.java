package io.holdfast.config.fault;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Signals of Linux, sent without a process of their own: to itself a process sends it at once. */
public enum Signal {
  KILL(9),
  CONTINUE(18),
  STOP(19);

  private final int number;

  Signal(int number) {
    this.number = number;
  }

  /**
   * Sends it.
   *
   * @return false if there is no such process, or it is another user's
   */
  public boolean send(long pid) {
    try {
      return (int) Functions.KILL.invokeExact(Math.toIntExact(pid), number) == 0;
    } catch (Throwable e) {
      throw new IllegalStateException("cannot send " + this + " to process " + pid, e);
    }
  }

  /** Finds what it takes, so that the first signal goes out at once. */
  public static void prepare() {
    try {
      int _ = (int) Functions.KILL.invokeExact(Math.toIntExact(ProcessHandle.current().pid()), 0);
    } catch (Throwable e) {
      throw new IllegalStateException("this system takes no signals from here", e);
    }
  }

  /** Sends it to this process: the calling thread does not go on. */
  public void sendToSelf() {
    try {
      int _ = (int) Functions.RAISE.invokeExact(number);
    } catch (Throwable e) {
      throw new IllegalStateException("cannot send " + this + " to this process", e);
    }
  }

  /** Of the C library. */
  private static final class Functions {
    static final MethodHandle KILL =
        handle(
            "kill",
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    static final MethodHandle RAISE =
        handle("raise", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

    @SuppressWarnings("restricted")
    private static MethodHandle handle(String name, FunctionDescriptor signature) {
      Linker linker = Linker.nativeLinker();
      return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), signature);
    }
  }
}
