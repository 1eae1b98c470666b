package tuff;

import java.nio.charset.StandardCharsets;

/** A model compiled for a device, with its weights there. Threads may share it. */
public final class Program extends Handle {
  private Program(long pointer) {
    super(pointer);
  }

  /** Compiles; the model may be closed afterwards. */
  public static Program compile(Device device, Model model) {
    return new Program(Native.createProgram(device.pointer(), model.pointer()));
  }

  /** From an artifact (.tuff), without compiling. The file must not be changed while the program lives. */
  public static Program load(Device device, String path) {
    return new Program(Native.loadProgram(device.pointer(), path.getBytes(StandardCharsets.UTF_8)));
  }

  @Override
  void release(long pointer) {
    Native.releaseProgram(pointer);
  }
}
