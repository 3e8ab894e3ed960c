package dev.skep.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.backend.Store;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A watcher that keeps what it was told. */
final class Recorder implements Store.Watcher {
  private static final long PATIENCE_SECONDS = 20;

  private sealed interface Told {
    record Changed(long revision, List<Store.Change> changes) implements Told {}

    record Compacted(long oldest) implements Told {}
  }

  private final BlockingQueue<Told> told = new LinkedBlockingQueue<>();

  @Override
  public void changed(long revision, List<Store.Change> changes) {
    told.add(new Told.Changed(revision, changes));
  }

  @Override
  public void compacted(long oldestRevision) {
    told.add(new Told.Compacted(oldestRevision));
  }

  private Told next() {
    try {
      Told next = told.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
      assertThat(next).as("a call of the watcher within " + PATIENCE_SECONDS + " s").isNotNull();
      return next;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** The next revision's changes as {@code revision: key=value key=-}. */
  String line() {
    return switch (next()) {
      case Told.Changed changed -> line(changed);
      case Told.Compacted compacted -> "compacted";
    };
  }

  private static String line(Told.Changed changed) {
    StringBuilder line = new StringBuilder(changed.revision + ":");
    List<String> parts = new ArrayList<>();
    for (Store.Change change : changed.changes) {
      parts.add(change.key() + "=" + (change.value() == null ? "-" : Texts.text(change.value())));
    }
    parts.sort(null);
    parts.forEach(part -> line.append(' ').append(part));
    return line.toString();
  }

  long compacted() {
    Told next = next();
    assertThat(next).isInstanceOf(Told.Compacted.class);
    return ((Told.Compacted) next).oldest;
  }

  /** Revision numbers up to this one, whatever they changed. */
  List<Long> revisionsUpTo(long last) {
    List<Long> revisions = new ArrayList<>();
    do {
      Told next = next();
      assertThat(next).isInstanceOf(Told.Changed.class);
      revisions.add(((Told.Changed) next).revision);
    } while (revisions.getLast() < last);
    return revisions;
  }
}
