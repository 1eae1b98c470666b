package tuff;

import java.nio.charset.StandardCharsets;

/** What a function of Tuff answered instead of doing what it was asked; the message is the library's. */
public final class TuffException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** TUFF_INVALID_ARGUMENT, ..., as tuff.h numbers them. */
  public final int status;

  TuffException(int status, byte[] message) {
    super(new String(message, StandardCharsets.UTF_8));
    this.status = status;
  }
}
