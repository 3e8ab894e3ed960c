package dev.skep.runtime.loop;

import java.util.Optional;

/** What a loop of this process campaigns with, and what is known of the processes that it campaigns against. Any thread asks. */
public interface Candidacy {
  /** What the leader row is written with; empty while this process has no lease, and must not lead. */
  Optional<LoopCore.Standing> standing();

  /** Whether the process of this holder id is known to have ended. */
  boolean gone(String holder);

  /** Whether there can be others. */
  boolean contested();

  /** Of a process whose store nobody else can open. */
  static Candidacy alone(String address) {
    Optional<LoopCore.Standing> always = Optional.of(new LoopCore.Standing(address, 0));
    return new Candidacy() {
      @Override
      public Optional<LoopCore.Standing> standing() {
        return always;
      }

      @Override
      public boolean gone(String holder) {
        return false;
      }

      @Override
      public boolean contested() {
        return false;
      }
    };
  }
}
