package tuff;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Buffers and recordings for one stream of runs of a program. Used by one thread at a time. */
public final class Session extends Handle {
  private Session(long pointer) {
    super(pointer);
  }

  public static Session create(Program program) {
    return new Session(Native.createSession(program.pointer()));
  }

  /** Allocates and records for inputs of these shapes; their data is not read. */
  public void prepare(List<Tensor> inputs) {
    Native.prepare(pointer(), dtypes(inputs), ranks(inputs), sizes(inputs), data(inputs));
  }

  /** The shape of an output for the inputs that were prepared or run last. */
  public long[] outputShape(int index) {
    return Native.outputShape(pointer(), index);
  }

  /** Runs and waits: all of the model's inputs in order, and the first of its outputs. */
  public void run(List<Tensor> inputs, List<Tensor> outputs) {
    List<Tensor> all = Stream.concat(inputs.stream(), outputs.stream()).toList();
    Native.run(pointer(), dtypes(all), ranks(all), sizes(all), data(all), inputs.size());
  }

  @Override
  void release(long pointer) {
    Native.releaseSession(pointer);
  }

  private static int[] dtypes(List<Tensor> tensors) {
    return tensors.stream().mapToInt(t -> t.dtype).toArray();
  }

  private static int[] ranks(List<Tensor> tensors) {
    return tensors.stream().mapToInt(t -> t.shape.length).toArray();
  }

  private static long[] sizes(List<Tensor> tensors) {
    return tensors.stream().flatMapToLong(t -> Arrays.stream(t.shape)).toArray();
  }

  private static ByteBuffer[] data(List<Tensor> tensors) {
    return tensors.stream().map(t -> t.data).toArray(ByteBuffer[]::new);
  }
}
