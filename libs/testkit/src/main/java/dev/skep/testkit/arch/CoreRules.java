package dev.skep.testkit.arch;

import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import java.util.List;
import java.util.Set;

/** What makes a core pure: the same input gives the same output, so that a whole cluster can be simulated in one thread. */
final class CoreRules {
  private static final String WHY = "decisions are values of their input, or the simulator cannot repeat them";
  /** Addresses are values; asking a resolver for them is not. */
  private static final List<String> JDK =
      List.of("java.lang.", "java.util.", "java.time.", "java.math.", "java.text.", "java.nio.ByteBuffer", "java.nio.ByteOrder",
          "java.nio.charset.", "java.net.Inet", "java.security.MessageDigest", "java.security.NoSuchAlgorithmException");
  private static final List<String> FORBIDDEN_JDK =
      List.of("java.lang.Thread", "java.lang.Process", "java.lang.Runtime", "java.lang.reflect.", "java.lang.foreign.", "java.lang.ThreadLocal",
          "java.util.concurrent.", "java.util.logging.", "java.util.prefs.", "java.util.jar.", "java.util.Timer", "java.util.Random",
          "java.util.SplittableRandom", "java.util.random.RandomGeneratorFactory", "java.time.Clock", "java.time.InstantSource");
  private static final Set<String> FORBIDDEN_CALLS =
      Set.of("java.lang.System.currentTimeMillis", "java.lang.System.nanoTime", "java.lang.System.getenv", "java.lang.System.getProperty",
          "java.lang.System.exit", "java.lang.System.identityHashCode", "java.lang.Math.random", "java.util.UUID.randomUUID",
          "java.net.InetAddress.getByName", "java.net.InetAddress.getAllByName", "java.net.InetAddress.getLocalHost",
          "java.util.random.RandomGenerator.getDefault", "java.util.random.RandomGenerator.of", "java.util.Collections.shuffle");

  private CoreRules() {}

  static List<Rule<JavaClasses>> all() {
    return List.of(
        ClassRules.dependencies("core sees only the JDK's values, the proto model, libs/state and itself", WHY,
            (from, to) -> core(from) && !allowed(from, to)),
        ClassRules.accesses("core asks no clock and no dice", WHY, access -> core(access.getOriginOwner()) && impure(access)));
  }

  /** A service's core, and libs/state, which is core for everybody. */
  private static boolean core(JavaClass type) {
    String name = type.getPackageName();
    return name.matches("dev\\.skep\\.[a-z]+\\.core(?:\\..*)?") || Layout.inside(name, List.of("state")) && !Layout.isModel(type.getName());
  }

  private static boolean allowed(JavaClass from, JavaClass to) {
    String name = to.getName();
    if (to.isPrimitive() || Layout.isModel(name) || name.startsWith("com.google.protobuf.") || Layout.inside(to.getPackageName(), List.of("state"))) {
      return true;
    }
    if (name.startsWith(Layout.ROOT)) {
      return sameCore(from.getPackageName(), to.getPackageName());
    }
    return JDK.stream().anyMatch(name::startsWith) && FORBIDDEN_JDK.stream().noneMatch(one -> one.endsWith(".") ? name.startsWith(one) : exact(name, one));
  }

  private static boolean exact(String name, String forbidden) {
    return name.equals(forbidden) || name.startsWith(forbidden + "$") || name.equals(forbidden + "Builder");
  }

  private static boolean sameCore(String from, String to) {
    String own = from.replaceFirst("(\\.core)(?:\\..*)?$", "$1");
    return to.equals(own) || to.startsWith(own + ".");
  }

  private static boolean impure(JavaAccess<?> access) {
    String owner = access.getTargetOwner().getName();
    String member = access.getTarget().getName();
    return FORBIDDEN_CALLS.contains(owner + "." + member)
        || owner.startsWith("java.time.") && member.equals("now")
        || owner.startsWith("java.time.Clock") && member.startsWith("system");
  }
}
