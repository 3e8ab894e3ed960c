package dev.skep.runtime.identity;

/** What a node is in its cluster. */
public enum NodeRole {
  WORKER("worker"),
  MANAGER("manager");

  private final String text;

  NodeRole(String text) {
    this.text = text;
  }

  /** As the API writes it. */
  public String text() {
    return text;
  }
}
