package dev.skep.skepd;

import com.tngtech.archunit.core.domain.JavaClasses;
import dev.skep.testkit.arch.ClassRules;
import dev.skep.testkit.arch.SourceRules;
import dev.skep.testkit.arch.SourceTree;
import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The whole repository keeps the rules of the house; skepd is the one module that sees all others. */
final class ArchitectureTest {
  @TestFactory
  Stream<DynamicTest> classes() {
    JavaClasses classes = ClassRules.onClassPath();
    return ClassRules.all().stream().map(rule -> DynamicTest.dynamicTest(rule.name(), () -> rule.check(classes)));
  }

  @TestFactory
  Stream<DynamicTest> sources() throws IOException {
    SourceTree tree = SourceTree.ofRepository();
    return SourceRules.all().stream().map(rule -> DynamicTest.dynamicTest(rule.name(), () -> rule.check(tree)));
  }
}
