package dev.skep.controlapi.core;

/** The kinds of objects that a path or an argument can name, under Docker's words for them. */
public enum ObjectKind {
  SERVICE("service"),
  TASK("task"),
  NODE("node"),
  NETWORK("network"),
  SECRET("secret"),
  CONFIG("config");

  private final String word;

  ObjectKind(String word) {
    this.word = word;
  }

  public String word() {
    return word;
  }
}
