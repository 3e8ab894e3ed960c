package dev.skep.testkit.arch;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every family of rules is shown a small piece of code that breaks it: a rule that cannot fail holds nothing. */
final class ArchitectureRulesTest {
  @TempDir Path folder;

  @ParameterizedTest(name = "{0}: {2}")
  @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
      "core asks no clock              | dev.skep.scheduler.core | long a() { return java.time.Instant.now().toEpochMilli(); }",
      "core asks no clock              | dev.skep.scheduler.core | java.util.function.LongSupplier a() { return System::nanoTime; }",
      "core asks no clock              | dev.skep.agent.core.deep | Object a() { return java.util.UUID.randomUUID(); }",
      "core sees only                  | dev.skep.scheduler.core | Object a() { return new java.util.Random(); }",
      "core sees only                  | dev.skep.state.view | java.time.Clock clock;",
      "core sees only                  | dev.skep.scheduler.core | java.io.File file;",
      "core sees only                  | dev.skep.scheduler.core | java.net.URI uri;",
      "core asks no clock              | dev.skep.scheduler.core | Object a() throws Exception { return java.net.InetAddress.getByName(`x`); }",
      "core sees only                  | dev.skep.scheduler.core | dev.skep.scheduler.shell.Other other;",
      "core sees only                  | dev.skep.scheduler.core | java.util.concurrent.ConcurrentHashMap<String, String> map;",
      "core sees only                  | dev.skep.scheduler.core | java.util.logging.Logger log;",
      "services never import services  | dev.skep.scheduler.shell | dev.skep.agent.shell.Other other;",
      "services never import services  | dev.skep.scheduler.shell | dev.skep.skepd.Other other;",
      "jetcd only                      | dev.skep.runtime.edge | io.etcd.jetcd.Client client;",
      "Kafka only                      | dev.skep.backend.embedded | org.apache.kafka.Client client;",
      "SQLite and JDBC only            | dev.skep.runtime.edge | java.sql.Connection connection;",
      "docker-java only                | dev.skep.agent.core | com.github.dockerjava.Client client;",
      "Vert.x only                     | dev.skep.controlapi.core | io.vertx.Client client;",
      "Netty only                      | dev.skep.agent.shell | io.netty.Client client;",
      "reflection only                 | dev.skep.agent.shell | java.lang.reflect.Method method;",
      "Class is asked                  | dev.skep.agent.shell | Object a() throws Exception { return Class.forName(`x`); }",
      "threads are started only        | dev.skep.agent.shell | void a() { new Thread(() -> { }).start(); }",
      "threads are started only        | dev.skep.agent.shell | void a() { Thread.ofVirtual().start(() -> { }); }",
      "threads are started only        | dev.skep.agent.shell | Object a() { return java.util.concurrent.Executors.newCachedThreadPool(); }",
      "java.util.concurrent.locks only | dev.skep.agent.shell | java.util.concurrent.locks.ReentrantLock lock;",
      "nothing prints                  | dev.skep.agent.shell | void a() { System.out.println(1); }",
  })
  void aClassThatBreaksIt(String rule, String packageName, String member) throws IOException {
    assertThat(broken(compiled(packageName, "Bad", member.replace('`', '"')))).anyMatch(name -> name.startsWith(rule));
  }

  @Test
  void harmlessCodeBreaksNothing() throws IOException {
    JavaClasses classes = compiled("dev.skep.scheduler.core", "Good", "java.time.Instant a(java.time.Instant now) { return now.plusSeconds(1); }");
    assertThat(broken(classes)).containsExactly("every service has one public Component and one config record");
  }

  @ParameterizedTest
  @CsvSource({"dev.skep.agent.shell,TaskManager", "dev.skep.agent.shell,StoreImpl", "dev.skep.agent.util,Fine", "dev.skep.common,Fine"})
  void vagueNames(String packageName, String name) throws IOException {
    assertThat(broken(compiled(packageName, name, ""))).contains("classes are named for what they decide");
  }

  @Test
  void aServiceWithTwoComponents() throws IOException {
    Map<String, String> sources = new TreeMap<>();
    sources.put("dev.skep.runtime.Component", "package dev.skep.runtime; public interface Component {}");
    for (String service : Layout.SERVICES.values()) {
      String start = "package dev.skep." + service + "; public ";
      sources.put("dev.skep." + service + ".Part", start + "final class Part implements dev.skep.runtime.Component {}");
      sources.put("dev.skep." + service + ".PartConfig", start + "record PartConfig(int size) {}");
    }
    assertThat(broken(compiled(sources))).isEmpty();
    sources.put("dev.skep.agent.Second", "package dev.skep.agent; public final class Second implements dev.skep.runtime.Component {}");
    assertThat(broken(compiled(sources))).containsExactly("every service has one public Component and one config record");
  }

  @ParameterizedTest(name = "{0}: {2}")
  @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
      "nothing is left unfinished | services/agent/src/main/java/dev/skep/agent/A.java | final class A { } // TO~DO later",
      "no test is disabled        | services/agent/src/test/java/dev/skep/agent/A.java | @Disabled final class A { }",
      "tests never sleep          | services/agent/src/test/java/dev/skep/agent/A.java | final class A { void a() throws Exception { Thread.sleep(1); } }",
      "synchronized only          | services/agent/src/main/java/dev/skep/agent/A.java | final class A { synchronized void a() { } }",
      "synchronized only          | services/agent/src/main/java/dev/skep/agent/A.java | final class A { void a() { synchronized (this) { } } }",
      "every package says         | services/agent/src/main/java/dev/skep/agent/A.java | final class A { }",
      "every rpc has a comment    | proto/src/main/proto/a.proto                      | rpc Go(A) returns (B);",
      "no preview features        | services/agent/pom.xml                            | <arg>--enable-preview</arg>",
      "every service folder has   | services/agent/src/main/java/dev/skep/agent/A.java | final class A { }",
  })
  void aFileThatBreaksIt(String rule, String path, String text) throws IOException {
    write(path, (path.endsWith(".java") ? "package dev.skep.agent;\n" : "") + text.replace("~", ""));
    assertThat(brokenSources()).anyMatch(name -> name.startsWith(rule));
  }

  @Test
  void sizes() throws IOException {
    write("libs/x/src/main/java/dev/skep/x/A.java", "package dev.skep.x; final class A { void a() {" + "\n".repeat(LINES_TOO_MANY) + "} }");
    write("libs/x/src/main/java/dev/skep/x/B.java", "package dev.skep.x; final class B { } //" + "=".repeat(LINES_TOO_MANY));
    assertThat(brokenSources())
        .contains("files have at most 400 lines", "methods have at most 60 lines", "lines of main code have at most 180 characters");
  }

  private static final int LINES_TOO_MANY = 401;

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {"/** One. Two. */", "/** No end */", "/** */", "// none"})
  void packageInfosThatAreNotOneSentence(String comment) throws IOException {
    write("libs/x/src/main/java/dev/skep/x/package-info.java", comment + "\npackage dev.skep.x;\n");
    assertThat(brokenSources()).anyMatch(name -> name.startsWith("every package says"));
  }

  @Test
  void oneSentenceIsFine() throws IOException {
    write("libs/x/src/main/java/dev/skep/x/package-info.java", "/**\n * What {@code java.lang} lacks: a\n * sentence.\n */\npackage dev.skep.x;\n");
    write("libs/x/src/main/java/dev/skep/x/A.java", "package dev.skep.x;\n\nfinal class A {\n}\n");
    assertThat(brokenSources()).containsExactly("every service folder has README.md and core/, and what does I/O is in shell/");
  }

  private List<String> brokenSources() throws IOException {
    SourceTree tree = SourceTree.of(folder);
    return SourceRules.all().stream().filter(rule -> !rule.violations().apply(tree).isEmpty()).map(Rule::name).toList();
  }

  private void write(String path, String text) throws IOException {
    Path file = folder.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private static List<String> broken(JavaClasses classes) {
    return ClassRules.all().stream().filter(rule -> !rule.violations().apply(classes).isEmpty()).map(Rule::name).toList();
  }

  private JavaClasses compiled(String packageName, String name, String member) throws IOException {
    Map<String, String> sources = new TreeMap<>();
    for (String other : List.of("dev.skep.agent.shell.Other", "dev.skep.scheduler.shell.Other", "dev.skep.skepd.Other", "io.etcd.jetcd.Client",
        "org.apache.kafka.Client", "com.github.dockerjava.Client", "io.vertx.Client", "io.netty.Client")) {
      int dot = other.lastIndexOf('.');
      sources.put(other, "package " + other.substring(0, dot) + "; public class " + other.substring(dot + 1) + " {}");
    }
    sources.put(packageName + "." + name, "package " + packageName + "; final class " + name + " { " + member + " }");
    return compiled(sources);
  }

  private JavaClasses compiled(Map<String, String> sources) throws IOException {
    Path out = Files.createDirectories(folder.resolve("out"));
    List<String> arguments = new ArrayList<>(List.of("-nowarn", "-proc:none", "-d", out.toString()));
    for (Map.Entry<String, String> source : sources.entrySet()) {
      String path = "in/" + source.getKey().replace('.', '/') + ".java";
      write(path, source.getValue());
      arguments.add(folder.resolve(path).toString());
    }
    assertThat(ToolProvider.getSystemJavaCompiler().run(null, null, null, arguments.toArray(String[]::new))).isZero();
    return ClassRules.in(out);
  }
}
