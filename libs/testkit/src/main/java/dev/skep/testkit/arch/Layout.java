package dev.skep.testkit.arch;

import java.util.List;
import java.util.Map;

/** Which package belongs to which folder, and which of them may open which door. */
final class Layout {
  static final String ROOT = "dev.skep.";

  /** Folder under services/ to package under dev.skep. */
  static final Map<String, String> SERVICES =
      Map.of(
          "orchestrator", "orchestrator",
          "allocator", "allocator",
          "scheduler", "scheduler",
          "dispatcher", "dispatcher",
          "agent", "agent",
          "ingress-lb", "ingress",
          "dns-discovery", "dns",
          "control-api", "controlapi",
          "relay", "relay");

  /** One library, one door: package prefixes of a library, and the packages of ours that may see it. */
  record Door(String library, List<String> prefixes, List<String> openedBy, String why) {}

  static final List<Door> DOORS =
      List.of(
          new Door("jetcd", List.of("io.etcd."), List.of("backend.etcd"), "etcd is one backend behind Store; nobody else may learn its habits"),
          new Door("Kafka", List.of("org.apache.kafka."), List.of("backend.kafka"), "Kafka is one backend behind ChangeLog"),
          new Door("SQLite and JDBC", List.of("org.sqlite.", "java.sql.", "javax.sql."), List.of("backend.embedded"), "SQL is one backend behind Store"),
          new Door("docker-java", List.of("com.github.dockerjava."), List.of("agent.shell"), "the engine is driven from one place, so that its version traps are mended once"),
          new Door("Vert.x", List.of("io.vertx."), List.of("runtime", "controlapi.shell"), "HTTP has one edge; cores and other services stay free of its event loops"),
          new Door("Netty", List.of("io.netty."), List.of("runtime", "ingress", "dns"), "buffers with reference counts stay where packets are moved"),
          new Door("reflection", List.of("java.lang.reflect."), List.of("controlapi.codec"), "what the compiler does not see, a reader does not find"));

  private Layout() {}

  /** The class is in one of the packages (given below {@link #ROOT}), or in a package below them. */
  static boolean inside(String packageName, List<String> ours) {
    for (String one : ours) {
      if (packageName.equals(ROOT + one) || packageName.startsWith(ROOT + one + ".")) {
        return true;
      }
    }
    return false;
  }

  /** Generated from proto/: the model, the options and the stubs. */
  static boolean isModel(String className) {
    return className.matches("dev\\.skep\\.(?:[a-z]+\\.v1|options)\\..*");
  }
}
