package dev.skep.skepd.faults;

import dev.skep.testkit.etcd.EtcdServer;
import dev.skep.testkit.kafka.KafkaServer;
import java.util.List;

/** Something that can break: a process and its network. */
interface Part {
  String name();

  /** kill -9. */
  void kill() throws Exception;

  /** SIGTERM, and its end. */
  void stop() throws Exception;

  /** SIGSTOP. */
  void freeze() throws Exception;

  void thaw() throws Exception;

  /** Starts it again after it was killed or stopped. */
  void begin() throws Exception;

  void cut() throws Exception;

  void mend() throws Exception;

  static Part etcd(String name, EtcdServer server, Wires wires) {
    return new Server(name, wires, server::kill, server::stop, server::freeze, server::thaw, server::begin);
  }

  static Part kafka(String name, KafkaServer server, Wires wires) {
    return new Server(name, wires, server::kill, server::stop, server::freeze, server::thaw, server::restart);
  }

  static Part all(String name, List<? extends Part> parts) {
    return new Group(name, List.copyOf(parts));
  }

  /** What can fail. */
  interface Act {
    void run() throws Exception;
  }

  /** A server of the test kit in a namespace of its own. */
  record Server(String name, Wires wires, Act killing, Act stopping, Act freezing, Act thawing, Act beginning) implements Part {
    @Override
    public void kill() throws Exception {
      killing.run();
    }

    @Override
    public void stop() throws Exception {
      stopping.run();
    }

    @Override
    public void freeze() throws Exception {
      freezing.run();
    }

    @Override
    public void thaw() throws Exception {
      thawing.run();
    }

    @Override
    public void begin() throws Exception {
      beginning.run();
    }

    @Override
    public void cut() throws Exception {
      wires.cut(name);
    }

    @Override
    public void mend() throws Exception {
      wires.mend(name);
    }
  }

  /** Several at once. */
  record Group(String name, List<Part> parts) implements Part {
    @Override
    public void kill() throws Exception {
      for (Part part : parts) {
        part.kill();
      }
    }

    @Override
    public void stop() throws Exception {
      for (Part part : parts) {
        part.stop();
      }
    }

    @Override
    public void freeze() throws Exception {
      for (Part part : parts) {
        part.freeze();
      }
    }

    @Override
    public void thaw() throws Exception {
      for (Part part : parts) {
        part.thaw();
      }
    }

    @Override
    public void begin() throws Exception {
      for (Part part : parts) {
        part.begin();
      }
    }

    @Override
    public void cut() throws Exception {
      for (Part part : parts) {
        part.cut();
      }
    }

    @Override
    public void mend() throws Exception {
      for (Part part : parts) {
        part.mend();
      }
    }
  }
}
