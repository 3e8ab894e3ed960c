package dev.skep.testkit.arch;

import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.util.SourcePositions;
import java.nio.file.Path;
import java.util.List;

/**
 * One Java file of ours, parsed.
 *
 * @param path relative to the root of the repository
 * @param test it stands in a test tree
 */
record SourceFile(Path path, boolean test, String text, List<String> lines, CompilationUnitTree tree, SourcePositions positions) {
  String packageName() {
    return tree.getPackageName() == null ? "" : tree.getPackageName().toString();
  }

  /** {@code libs/state}, {@code services/agent}, … */
  String module() {
    return path.getNameCount() < 2 ? "" : path.subpath(0, 2).toString();
  }

  boolean isPackageInfo() {
    return path.endsWith("package-info.java");
  }

  /** The line of an offset, from 1. */
  long lineOf(long position) {
    return tree.getLineMap().getLineNumber(position);
  }
}
