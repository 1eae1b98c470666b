package tuff;

import java.nio.charset.StandardCharsets;

/** A GPU, or a driver that computes on the CPU. Threads may share it. */
public final class Device extends Handle {
  private Device(long pointer) {
    super(pointer);
  }

  /** The best device; one that computes on the CPU only if that is allowed. */
  public static Device open(boolean allowSoftware) {
    return new Device(Native.openDevice(null, allowSoftware));
  }

  /** The device with this index, UUID or part of a name. */
  public static Device open(String selector, boolean allowSoftware) {
    return new Device(Native.openDevice(selector.getBytes(StandardCharsets.UTF_8), allowSoftware));
  }

  @Override
  void release(long pointer) {
    Native.releaseDevice(pointer);
  }
}
