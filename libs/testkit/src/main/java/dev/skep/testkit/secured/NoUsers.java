package dev.skep.testkit.secured;

import dev.skep.backend.Users;
import java.util.List;

/** Of a store that asks nobody who they are, beside a log that does. */
public final class NoUsers implements Users {
  @Override
  public void prepare() {}

  @Override
  public void grant(String name, String password, Rights rights) {}

  @Override
  public void password(String name, String password) {}

  @Override
  public void remove(String name) {}

  @Override
  public List<String> names(String prefix) {
    return List.of();
  }

  @Override
  public void close() {}
}
