package dev.skep.skepd;

import com.tngtech.archunit.core.domain.JavaClasses;
import dev.skep.testkit.arch.ClassRules;
import dev.skep.testkit.arch.Rule;
import dev.skep.testkit.arch.SourceRules;
import dev.skep.testkit.arch.SourceTree;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The whole repository keeps the rules of the house; skepd is the one module that sees all others. */
final class ArchitectureTest {
  /** What is known to break a rule and still to be mended. Only ever gets shorter. */
  private static final List<String> DEBTS =
      List.of(
          "services/allocator/README.md is missing",
          "services/orchestrator/README.md is missing",
          "services/scheduler/README.md is missing");

  @TestFactory
  Stream<DynamicTest> classes() {
    JavaClasses classes = ClassRules.onClassPath();
    return ClassRules.all().stream().map(rule -> DynamicTest.dynamicTest(rule.name(), () -> withoutDebts(rule).check(classes)));
  }

  @TestFactory
  Stream<DynamicTest> sources() throws IOException {
    SourceTree tree = SourceTree.ofRepository();
    return SourceRules.all().stream().map(rule -> DynamicTest.dynamicTest(rule.name(), () -> withoutDebts(rule).check(tree)));
  }

  private static <T> Rule<T> withoutDebts(Rule<T> rule) {
    return new Rule<>(rule.name(), rule.why(), subject ->
        rule.violations().apply(subject).stream().filter(found -> DEBTS.stream().noneMatch(found::startsWith)).toList());
  }
}
