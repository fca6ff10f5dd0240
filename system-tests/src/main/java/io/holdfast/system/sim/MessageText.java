package io.holdfast.system.sim;

import io.holdfast.config.protocol.Payload;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/** Messages in a line: {@code StageRows(header=..., rows=[3, 17], gradients=32 B)}. */
final class MessageText {
  private static final int IDS_SHOWN = 12;
  private static final int LONGEST = 400;

  private MessageText() {}

  static String of(Record message) {
    String text =
        message.getClass().getSimpleName()
            + Arrays.stream(message.getClass().getRecordComponents())
                .map(component -> component.getName() + "=" + value(component, message))
                .collect(Collectors.joining(", ", "(", ")"));
    return text.length() <= LONGEST ? text : text.substring(0, LONGEST) + " ...";
  }

  private static String value(RecordComponent component, Record message) {
    Object value;
    try {
      component.getAccessor().setAccessible(true);
      value = component.getAccessor().invoke(message);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("records can be read", e);
    }
    if (!(value instanceof Payload payload)) {
      return String.valueOf(value);
    }
    return component.getName().equals("rows") ? ids(payload) : payload.lengthBytes() + " B";
  }

  private static String ids(Payload payload) {
    MemorySegment ids;
    try {
      ids = payload.segment();
    } catch (UnsupportedOperationException e) {
      return payload.lengthBytes() / Long.BYTES + " ids";
    }
    long count = ids.byteSize() / Long.BYTES;
    String shown =
        LongStream.range(0, Math.min(count, IDS_SHOWN))
            .map(i -> ids.get(ValueLayout.JAVA_LONG_UNALIGNED, Long.BYTES * i))
            .mapToObj(Long::toString)
            .collect(Collectors.joining(", "));
    return "[" + shown + (count > IDS_SHOWN ? ", ... " + count + " in all]" : "]");
  }
}
