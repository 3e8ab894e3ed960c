package dev.skep.testkit.arch;

import com.tngtech.archunit.ArchConfiguration;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.function.Predicate;

/** The rules that compiled main code must keep: who may see what, and what is done in one place only. */
public final class ClassRules {
  private static final String COMPONENT = "dev.skep.runtime.Component";
  private static final Set<String> THREAD_MAKERS =
      Set.of(
          "java.lang.Thread.<init>", "java.lang.Thread.start", "java.lang.Thread.ofVirtual", "java.lang.Thread.ofPlatform",
          "java.lang.Thread.startVirtualThread", "java.util.concurrent.CompletableFuture.supplyAsync",
          "java.util.concurrent.CompletableFuture.runAsync", "java.util.concurrent.ThreadPoolExecutor.<init>",
          "java.util.concurrent.ScheduledThreadPoolExecutor.<init>", "java.util.concurrent.ForkJoinPool.<init>",
          "java.util.concurrent.ForkJoinPool.commonPool", "java.util.Timer.<init>", "java.util.Collection.parallelStream");
  private static final Set<String> REFLECTIVE_CALLS =
      Set.of("forName", "getMethod", "getMethods", "getDeclaredMethod", "getDeclaredMethods", "getDeclaredField", "getDeclaredFields",
          "getField", "getFields", "getConstructor", "getConstructors", "getDeclaredConstructor", "getRecordComponents");

  private ClassRules() {}

  /** All main classes of ours that are on the class path; the generated model is left out, it is not ours to style. */
  public static JavaClasses onClassPath() {
    return importer().withImportOption(new ImportOption.DoNotIncludeTests()).importPackages("dev.skep");
  }

  /** All classes of a folder. */
  public static JavaClasses in(Path folder) {
    return importer().importPath(folder);
  }

  private static ClassFileImporter importer() {
    // Types that are not ours are known by name only: nothing here asks for their insides, and reading them takes seconds.
    ArchConfiguration.get().setResolveMissingDependenciesFromClassPath(false);
    return new ClassFileImporter()
        .withImportOption(location -> !location.matches(java.util.regex.Pattern.compile(".*/dev/skep/(?:[a-z]+/v1|options)/.*")));
  }

  public static List<Rule<JavaClasses>> all() {
    List<Rule<JavaClasses>> rules = new ArrayList<>(CoreRules.all());
    rules.add(
        dependencies("services never import services",
            "a service must be able to run alone in its own process; only skepd puts several into one",
            ClassRules::betweenServices));
    for (Layout.Door door : Layout.DOORS) {
      rules.add(dependencies(door.library() + " only in " + String.join(", ", door.openedBy()), door.why(), (from, to) -> through(door, from, to)));
    }
    rules.add(
        accesses("Class is asked for its members only in controlapi.codec", "reflection hides who uses what",
            access -> outside(access.getOriginOwner(), "controlapi.codec")
                && access.getTargetOwner().getName().equals("java.lang.Class")
                && REFLECTIVE_CALLS.contains(access.getTarget().getName())));
    rules.add(
        accesses("threads are started only in runtime", "a thread that nobody names, counts and stops is a leak in the making",
            access -> outside(access.getOriginOwner(), "runtime") && makesThread(access)));
    rules.add(
        dependencies("java.util.concurrent.locks only in runtime, backend, ingress, dns",
            "the rest is single-threaded by design, and a lock there hides that it is not any more",
            (from, to) -> outside(from, "runtime", "backend", "ingress", "dns") && to.getName().startsWith("java.util.concurrent.locks.")));
    rules.add(
        accesses("nothing prints to System.out or System.err",
            "output goes through the log, where it has a level, a time and a bound; only a command's main speaks to its caller",
            access -> outside(access.getOriginOwner(), "none")
                && !access.getOrigin().getName().equals("main")
                && access.getTargetOwner().getName().equals("java.lang.System")
                && (access.getTarget().getName().equals("out") || access.getTarget().getName().equals("err"))));
    rules.add(new Rule<>("classes are named for what they decide", "a Manager, Helper, Util or Impl says nothing about what it does", ClassRules::vagueNames));
    rules.add(new Rule<>("every service has one public Component and one config record",
        "whoever knows one service knows them all, and the host starts each the same way", ClassRules::shapeOfServices));
    return rules;
  }

  private static boolean betweenServices(JavaClass from, JavaClass to) {
    String one = serviceOf(from);
    String other = serviceOf(to);
    boolean intoHost = one != null && Layout.inside(to.getPackageName(), List.of("skepd"));
    return one != null && !Layout.isModel(to.getName()) && (intoHost || other != null && !one.equals(other));
  }

  /** The service that a class belongs to; null for libraries and for skepd, which hosts them all. */
  private static String serviceOf(JavaClass type) {
    for (String service : Layout.SERVICES.values()) {
      if (Layout.inside(type.getPackageName(), List.of(service))) {
        return service;
      }
    }
    return null;
  }

  private static boolean through(Layout.Door door, JavaClass from, JavaClass to) {
    return ours(from) && !Layout.inside(from.getPackageName(), door.openedBy()) && door.prefixes().stream().anyMatch(to.getName()::startsWith);
  }

  private static boolean makesThread(JavaAccess<?> access) {
    String owner = access.getTargetOwner().getName();
    return THREAD_MAKERS.contains(owner + "." + access.getTarget().getName())
        || owner.equals("java.util.concurrent.Executors")
        || owner.startsWith("java.lang.Thread$Builder") && Set.of("start", "unstarted", "factory").contains(access.getTarget().getName());
  }

  /** Main code of ours outside the named packages. The testkit is test code. */
  private static boolean outside(JavaClass type, String... packages) {
    return ours(type) && !Layout.inside(type.getPackageName(), List.of(packages));
  }

  private static boolean ours(JavaClass type) {
    return type.getName().startsWith(Layout.ROOT) && !Layout.inside(type.getPackageName(), List.of("testkit"));
  }

  private static List<String> vagueNames(JavaClasses classes) {
    List<String> found = new ArrayList<>();
    for (JavaClass type : classes) {
      if (type.getSimpleName().matches(".*(?:Manager|Helper|Helpers|Util|Utils|Impl)")) {
        found.add(type.getName());
      }
      if (type.getPackageName().matches(".*\\.(?:common|util|utils|helpers?)(?:\\..*)?")) {
        found.add(type.getName() + " is in a package that is named for nothing");
      }
    }
    return found;
  }

  private static List<String> shapeOfServices(JavaClasses classes) {
    Map<String, Set<String>> components = new TreeMap<>();
    Map<String, Set<String>> configs = new TreeMap<>();
    Layout.SERVICES.values().forEach(service -> components.put(service, new TreeSet<>()));
    Layout.SERVICES.values().forEach(service -> configs.put(service, new TreeSet<>()));
    for (JavaClass type : classes) {
      String service = serviceOf(type);
      if (service == null || !type.getPackageName().equals(Layout.ROOT + service)) {
        continue;
      }
      boolean component = type.getRawInterfaces().stream().anyMatch(one -> one.getName().equals(COMPONENT));
      if (component && type.getModifiers().contains(JavaModifier.PUBLIC)) {
        components.get(service).add(type.getSimpleName());
      }
      if (type.isRecord() && type.getSimpleName().endsWith("Config")) {
        configs.get(service).add(type.getSimpleName());
      }
    }
    List<String> found = new ArrayList<>();
    components.forEach((service, names) -> complain(found, service, "public classes that implement Component", names));
    configs.forEach((service, names) -> complain(found, service, "records named …Config", names));
    return found;
  }

  private static void complain(List<String> found, String service, String what, Set<String> names) {
    if (names.size() != 1) {
      found.add("dev.skep." + service + " has " + names.size() + " " + what + " in its root package: " + names);
    }
  }

  /** A rule about what a class of ours refers to; the predicate says what is forbidden. */
  static Rule<JavaClasses> dependencies(String name, String why, BiFunction<JavaClass, JavaClass, Boolean> forbidden) {
    return new Rule<>(name, why, classes -> {
      Set<String> found = new TreeSet<>();
      for (JavaClass type : classes) {
        for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
          if (forbidden.apply(type, dependency.getTargetClass().getBaseComponentType())) {
            found.add(dependency.getDescription());
          }
        }
      }
      return List.copyOf(found);
    });
  }

  /** A rule about which fields, methods and constructors are used. */
  static Rule<JavaClasses> accesses(String name, String why, Predicate<JavaAccess<?>> forbidden) {
    return new Rule<>(name, why, classes -> {
      Set<String> found = new TreeSet<>();
      for (JavaClass type : classes) {
        type.getAccessesFromSelf().stream().filter(forbidden).map(JavaAccess::getDescription).forEach(found::add);
        type.getMethodReferencesFromSelf().stream().filter(forbidden).map(JavaAccess::getDescription).forEach(found::add);
      }
      return List.copyOf(found);
    });
  }
}
