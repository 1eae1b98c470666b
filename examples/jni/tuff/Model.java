package tuff;

import java.nio.charset.StandardCharsets;

/** A network as its file has it; knows no device. Threads may share it. */
public final class Model extends Handle {
  private Model(long pointer) {
    super(pointer);
  }

  /** From an ONNX file, which stays mapped while the model or a program of it lives. */
  public static Model load(String path) {
    return new Model(Native.loadModel(path.getBytes(StandardCharsets.UTF_8)));
  }

  @Override
  void release(long pointer) {
    Native.releaseModel(pointer);
  }
}
