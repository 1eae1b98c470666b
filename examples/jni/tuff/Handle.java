package tuff;

/**
 * Owns one reference to an object of the library's. They may be closed in any order, and twice; what is used after its close
 * throws a TuffException. A close is not for the moment in which another thread uses the same object.
 */
abstract class Handle implements AutoCloseable {
  private long pointer;

  Handle(long pointer) {
    this.pointer = pointer;
  }

  /** 0 after close, which the library refuses. */
  final long pointer() {
    return pointer;
  }

  abstract void release(long pointer);

  @Override
  public final void close() {
    long owned = pointer;
    pointer = 0;
    release(owned);
  }
}
