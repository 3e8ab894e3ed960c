package dev.skep.testkit.arch;

import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** The repository as files: what rules can only read in the text, with every Java file parsed by the JDK's own compiler. */
public final class SourceTree {
  private static final List<String> AREAS = List.of("libs", "services", "examples", "load-tests", "proto");

  private final Path root;
  private final List<SourceFile> java;

  private SourceTree(Path root, List<SourceFile> java) {
    this.root = root;
    this.java = java;
  }

  /** The repository that the working folder belongs to. */
  public static SourceTree ofRepository() throws IOException {
    Path folder = Path.of("").toAbsolutePath();
    while (folder != null && !(Files.isDirectory(folder.resolve("proto/src")) && Files.exists(folder.resolve("pom.xml")))) {
      folder = folder.getParent();
    }
    if (folder == null) {
      throw new IllegalStateException("the working folder is outside of the repository");
    }
    return of(folder);
  }

  public static SourceTree of(Path root) throws IOException {
    return new SourceTree(root, parsed(root, files(root, ".java")));
  }

  Path root() {
    return root;
  }

  List<SourceFile> java() {
    return java;
  }

  /** Files of our own areas with this ending, build output left out, in path order. */
  static List<Path> files(Path root, String ending) throws IOException {
    List<Path> found = new ArrayList<>();
    for (String area : AREAS) {
      Path folder = root.resolve(area);
      if (!Files.isDirectory(folder)) {
        continue;
      }
      try (Stream<Path> all = Files.walk(folder)) {
        all.filter(path -> path.toString().endsWith(ending))
            .filter(path -> !root.relativize(path).toString().matches("(?:.*/)?(?:target|node_modules)/.*"))
            .forEach(found::add);
      }
    }
    found.sort(null);
    return found;
  }

  private static List<SourceFile> parsed(Path root, List<Path> paths) throws IOException {
    List<SourceFile> files = new ArrayList<>();
    if (paths.isEmpty()) {
      return files;
    }
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    try (StandardJavaFileManager disk = compiler.getStandardFileManager(null, null, null)) {
      Iterable<? extends JavaFileObject> sources = disk.getJavaFileObjectsFromPaths(paths);
      JavacTask task = (JavacTask) compiler.getTask(null, disk, diagnostic -> { }, List.of("-proc:none"), null, sources);
      Trees trees = Trees.instance(task);
      for (CompilationUnitTree unit : task.parse()) {
        Path path = root.relativize(Path.of(unit.getSourceFile().toUri()));
        String text = read(root.resolve(path));
        boolean test = path.toString().contains("/src/test/") || path.startsWith("libs/testkit");
        files.add(new SourceFile(path, test, text, text.lines().toList(), unit, trees.getSourcePositions()));
      }
    }
    return files;
  }

  static String read(Path path) {
    try {
      return Files.readString(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
