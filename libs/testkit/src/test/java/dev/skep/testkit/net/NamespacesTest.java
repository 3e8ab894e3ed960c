package dev.skep.testkit.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("engine")
class NamespacesTest {
  private final String name = Namespaces.fresh("test");
  private Process inside;

  /** As an engine does, its process has a child. */
  private Path inhabited() throws Exception {
    assertThat(new ProcessBuilder("ip", "netns", "add", name).start().waitFor()).isZero();
    inside = new ProcessBuilder("nsenter", "--net=/run/netns/" + name, "sh", "-c", "unshare --net sleep 1000; true").start();
    Path file = Namespaces.folder(name).resolve("file");
    return Files.writeString(file, "x");
  }

  @AfterEach
  void end() {
    Namespaces.removeLeftovers(owner -> owner == ProcessHandle.current().pid());
  }

  @Test
  void whatNobodyOwnsIsRemovedWithAllThatRunsThere() throws Exception {
    Path file = inhabited();
    Namespaces.removeLeftovers(owner -> owner == ProcessHandle.current().pid());
    assertThat(inside.waitFor()).isEqualTo(128 + 9);
    assertThat(Path.of("/run/netns", name)).doesNotExist();
    assertThat(file.getParent()).doesNotExist();
  }

  @Test
  void whatALivingProcessOwnsStays() throws Exception {
    Path file = inhabited();
    Namespaces.removeLeftovers(owner -> ProcessHandle.of(owner).isEmpty());
    assertThat(inside.isAlive()).isTrue();
    assertThat(Path.of("/run/netns", name)).exists();
    assertThat(file).exists();
  }

  @Test
  void noTwoNamesAreTheSame() {
    assertThat(Namespaces.fresh("test")).isNotEqualTo(name);
  }
}
