package tuff;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Elements in row-major order without gaps, in memory that the library reads and writes in place. */
public final class Tensor {
  /** TUFF_F32. */
  public static final int F32 = 0;

  final int dtype;
  final long[] shape;
  final ByteBuffer data;

  /** dtype as tuff.h numbers them; data is direct, writable, and large enough from its first byte on. */
  public Tensor(int dtype, long[] shape, ByteBuffer data) {
    if (!data.isDirect() || data.isReadOnly()) {
      throw new IllegalArgumentException("A tensor's buffer must be direct and writable.");
    }
    this.dtype = dtype;
    this.shape = shape.clone();
    this.data = data;
  }

  /** 32-bit floats, all of them 0. */
  public static Tensor ofFloats(long... shape) {
    long size = Float.BYTES;
    for (long axis : shape) size = Math.multiplyExact(size, axis);
    return new Tensor(F32, shape, ByteBuffer.allocateDirect(Math.toIntExact(size)).order(ByteOrder.nativeOrder()));
  }

  public long[] shape() {
    return shape.clone();
  }

  /** The memory itself, no copy. */
  public ByteBuffer data() {
    return data;
  }
}
