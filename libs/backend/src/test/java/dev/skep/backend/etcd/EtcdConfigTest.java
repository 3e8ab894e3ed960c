package dev.skep.backend.etcd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.Access;
import dev.skep.backend.Access.Credentials;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EtcdConfigTest {
  private static EtcdConfig parsed(String uri) {
    return EtcdConfig.of(uri, Access.PLAIN);
  }

  @Test
  void aUriNamesServersPrefixAndPatience() {
    assertThat(parsed("etcd://h1:1234,h2,[::1]:99,10.0.0.1").endpoints()).containsExactly("h1:1234", "h2:2379", "[::1]:99", "10.0.0.1:2379");
    assertThat(parsed("etcd://h1")).isEqualTo(EtcdConfig.of(List.of("h1:2379")));
    assertThat(parsed("etcd://h1/").prefix()).isEmpty();
    assertThat(parsed("etcd://h1/a/b").prefix()).isEqualTo("a/b/");
    assertThat(parsed("etcd://h1/a/?timeout=3s&silence=250ms"))
        .isEqualTo(new EtcdConfig(List.of("h1:2379"), "a/", Access.PLAIN, Duration.ofSeconds(3), Duration.ofMillis(250), true));
  }

  @ParameterizedTest
  @ValueSource(strings = {
      "etcd://", "etcd://h1,", "etcd:///prefix", "etcd://h1:0", "etcd://h1:70000", "etcd://h1:port", "etcd://h 1", "etcd://h1?timeout", "etcd://h1?timeout=0s",
      "etcd://h1?patience=3s", "http://h1", "etcd://::1"})
  void whatIsNotUnderstoodIsRefused(String uri) {
    assertThatThrownBy(() -> parsed(uri)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("etcd");
  }

  @Test
  void aPasswordIsNeitherTakenFromAUriNorPrinted() {
    assertThatThrownBy(() -> parsed("etcd://me:secret@h1")).isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no credentials").hasMessageNotContaining("secret");
    Access access = new Access(Optional.of(new Credentials("me", "secret")), Optional.empty());
    assertThat(EtcdConfig.of("etcd://h1", access).toString()).contains("me").doesNotContain("secret");
  }
}
