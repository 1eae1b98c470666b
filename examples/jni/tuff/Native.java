package tuff;

import java.nio.ByteBuffer;

/** The functions of tuff.h that the classes beside it need, in tuff_jni.c. A handle is a pointer; text is UTF-8. */
final class Native {
  static {
    System.loadLibrary("tuff_jni");
  }

  private Native() {}

  static native long openDevice(byte[] selector, boolean allowSoftware);

  static native void releaseDevice(long device);

  static native long loadModel(byte[] path);

  static native void releaseModel(long model);

  static native long createProgram(long device, long model);

  static native long loadProgram(long device, byte[] path);

  static native void releaseProgram(long program);

  static native long createSession(long program);

  static native void releaseSession(long session);

  /** Tensors as columns: a dtype, a rank and a buffer for each; the sizes of all, one after the other. */
  static native void prepare(long session, int[] dtypes, int[] ranks, long[] sizes, ByteBuffer[] data);

  static native long[] outputShape(long session, int index);

  /** Tensors as above, the inputs first. */
  static native void run(long session, int[] dtypes, int[] ranks, long[] sizes, ByteBuffer[] data, int inputCount);
}
