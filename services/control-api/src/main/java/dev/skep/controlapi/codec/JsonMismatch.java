package dev.skep.controlapi.codec;

/** Well-formed JSON of the wrong shape; the message is Go's sentence about it. Never leaves this package. */
final class JsonMismatch extends Exception {
  JsonMismatch(String message) {
    super(message, null, false, false);
  }
}
