package dev.skep.testkit.arch;

import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.SynchronizedTree;
import com.sun.source.util.TreeScanner;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;
import javax.lang.model.element.Modifier;

/** The rules that only the source shows: sizes, comments, folders, and what tests must not do. */
public final class SourceRules {
  static final int LONGEST_FILE = 400;
  static final int LONGEST_METHOD = 60;
  /** 140 is what we write; a word more breaks no build. */
  static final int LONGEST_LINE = 180;
  /** Component, configuration, Main, package-info. */
  private static final int FILES_OUTSIDE = 4;
  private static final Pattern UNFINISHED = Pattern.compile("\\b(?:TO" + "DO|FIX" + "ME|XX" + "X)\\b");
  private static final Pattern RPC = Pattern.compile("^\\s*rpc\\s+(\\w+)\\s*\\(.*");

  private SourceRules() {}

  public static List<Rule<SourceTree>> all() {
    return List.of(
        perFile("files have at most " + LONGEST_FILE + " lines", "a file should fit into a head", (file, found) -> {
          if (file.lines().size() > LONGEST_FILE) {
            found.add(file.path() + " has " + file.lines().size());
          }
        }),
        perFile("lines of main code have at most " + LONGEST_LINE + " characters", "two files should fit beside each other", SourceRules::longLines),
        perFile("methods have at most " + LONGEST_METHOD + " lines", "a method says one thing", SourceRules::longMethods),
        perFile("nothing is left unfinished in a comment", "what is missing belongs into an issue, where somebody looks", SourceRules::unfinished),
        perFile("no test is disabled", "a test that does not run is a claim that nobody checks", (file, found) -> {
          mark(file, Pattern.compile("@Disabled\\b"), found);
        }),
        perFile("tests never sleep", "a sleep is either too short or too long; wait for the event itself", SourceRules::sleeps),
        perFile("synchronized only in runtime, backend, ingress, dns",
            "the rest is single-threaded by design, and a lock there hides that it is not any more", SourceRules::monitors),
        new Rule<>("every package says in one sentence what it is", "the map must be readable where one stands", SourceRules::packageInfos),
        new Rule<>("every service folder has README.md and core/, and what does I/O is in shell/",
            "whoever knows one service knows them all", SourceRules::folders),
        new Rule<>("every rpc has a comment", "the contract is what the other side reads", SourceRules::silentRpcs),
        new Rule<>("no preview features", "a class file with previews runs on one JDK release only", SourceRules::previews));
  }

  private static Rule<SourceTree> perFile(String name, String why, BiConsumer<SourceFile, List<String>> check) {
    return new Rule<>(name, why, tree -> {
      List<String> found = new ArrayList<>();
      tree.java().forEach(file -> check.accept(file, found));
      return found;
    });
  }

  private static void longLines(SourceFile file, List<String> found) {
    if (file.test() || file.module().startsWith("load-tests")) {
      return;
    }
    for (int i = 0; i < file.lines().size(); i++) {
      if (file.lines().get(i).length() > LONGEST_LINE) {
        found.add(file.path() + ":" + (i + 1) + " has " + file.lines().get(i).length());
      }
    }
  }

  private static void longMethods(SourceFile file, List<String> found) {
    new TreeScanner<Void, Void>() {
      @Override
      public Void visitMethod(MethodTree method, Void none) {
        if (method.getBody() != null) {
          long first = file.lineOf(file.positions().getStartPosition(file.tree(), method));
          long last = file.lineOf(file.positions().getEndPosition(file.tree(), method));
          if (last - first + 1 > LONGEST_METHOD) {
            found.add(file.path() + ":" + first + " " + method.getName() + " has " + (last - first + 1));
          }
        }
        return super.visitMethod(method, none);
      }
    }.scan(file.tree(), null);
  }

  private static void unfinished(SourceFile file, List<String> found) {
    mark(file, UNFINISHED, found);
  }

  private static void mark(SourceFile file, Pattern pattern, List<String> found) {
    for (int i = 0; i < file.lines().size(); i++) {
      String line = file.lines().get(i);
      if (pattern.matcher(line).find() && !line.contains("\"")) {
        found.add(file.path() + ":" + (i + 1) + " " + line.strip());
      }
    }
  }

  private static void sleeps(SourceFile file, List<String> found) {
    if (!file.test()) {
      return;
    }
    new TreeScanner<Void, Void>() {
      @Override
      public Void visitMethodInvocation(MethodInvocationTree call, Void none) {
        if (call.getMethodSelect() instanceof MemberSelectTree select && sleepingCall(select)) {
          found.add(file.path() + ":" + file.lineOf(file.positions().getStartPosition(file.tree(), call)) + " " + call);
        }
        return super.visitMethodInvocation(call, none);
      }
    }.scan(file.tree(), null);
  }

  private static boolean sleepingCall(MemberSelectTree select) {
    String of = select.getExpression().toString();
    String name = select.getIdentifier().toString();
    return name.equals("sleep") && (of.endsWith("Thread") || of.contains("TimeUnit"));
  }

  private static void monitors(SourceFile file, List<String> found) {
    if (file.test() || Layout.inside(file.packageName(), List.of("runtime", "backend", "ingress", "dns"))) {
      return;
    }
    new TreeScanner<Void, Void>() {
      @Override
      public Void visitSynchronized(SynchronizedTree block, Void none) {
        found.add(file.path() + ":" + file.lineOf(file.positions().getStartPosition(file.tree(), block)) + " synchronized block");
        return super.visitSynchronized(block, none);
      }

      @Override
      public Void visitMethod(MethodTree method, Void none) {
        if (method.getModifiers().getFlags().contains(Modifier.SYNCHRONIZED)) {
          found.add(file.path() + ": synchronized " + method.getName());
        }
        return super.visitMethod(method, none);
      }
    }.scan(file.tree(), null);
  }

  private static List<String> packageInfos(SourceTree tree) {
    Set<String> described = new TreeSet<>();
    Map<String, String> wanted = new TreeMap<>();
    List<String> found = new ArrayList<>();
    for (SourceFile file : tree.java()) {
      if (!file.packageName().startsWith("dev.skep")) {
        continue;
      }
      if (file.isPackageInfo()) {
        described.add(file.packageName());
        String sentence = file.text().replaceFirst("(?s)\\*/.*", "").replaceAll("(?m)^\\s*(?:/\\*)?\\*+", "").replaceAll("\\s+", " ").strip();
        if (!sentence.matches("[^.]+(?:\\.\\S[^.]*)*\\.")) {
          found.add(file.path() + " is not one sentence: " + sentence);
        }
      } else {
        wanted.putIfAbsent(file.packageName(), file.path().getParent().toString());
      }
    }
    wanted.keySet().removeAll(described);
    wanted.forEach((name, folder) -> found.add(folder + " has no package-info.java"));
    return found;
  }

  private static List<String> folders(SourceTree tree) {
    List<String> found = new ArrayList<>();
    for (Map.Entry<String, String> service : new TreeMap<>(Layout.SERVICES).entrySet()) {
      Path folder = tree.root().resolve("services").resolve(service.getKey());
      Path code = folder.resolve("src/main/java/dev/skep").resolve(service.getValue());
      for (Path wanted : List.of(folder.resolve("README.md"), code.resolve("core"))) {
        if (!Files.exists(wanted)) {
          found.add(tree.root().relativize(wanted) + " is missing");
        }
      }
      List<String> outside = tree.java().stream()
          .filter(file -> code.equals(tree.root().resolve(file.path()).getParent()))
          .map(file -> file.path().getFileName().toString())
          .toList();
      if (outside.size() > FILES_OUTSIDE) {
        found.add(tree.root().relativize(code) + " holds more than the component, its configuration and Main: " + outside);
      }
    }
    return found;
  }

  private static List<String> silentRpcs(SourceTree tree) {
    List<String> found = new ArrayList<>();
    for (Path proto : filesOf(tree, ".proto")) {
      List<String> lines = SourceTree.read(proto).lines().toList();
      for (int i = 0; i < lines.size(); i++) {
        boolean commented = lines.get(i).contains("//") || i > 0 && lines.get(i - 1).strip().startsWith("//");
        if (RPC.matcher(lines.get(i)).matches() && !commented) {
          found.add(tree.root().relativize(proto) + ":" + (i + 1) + " " + lines.get(i).strip());
        }
      }
    }
    return found;
  }

  private static List<String> previews(SourceTree tree) {
    List<String> found = new ArrayList<>();
    List<Path> builds = new ArrayList<>(filesOf(tree, "pom.xml"));
    builds.add(tree.root().resolve("pom.xml"));
    builds.add(tree.root().resolve("skep"));
    for (Path build : builds) {
      if (Files.exists(build) && SourceTree.read(build).contains("--enable-preview")) {
        found.add(tree.root().relativize(build).toString());
      }
    }
    return found;
  }

  private static List<Path> filesOf(SourceTree tree, String ending) {
    try {
      return SourceTree.files(tree.root(), ending);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
