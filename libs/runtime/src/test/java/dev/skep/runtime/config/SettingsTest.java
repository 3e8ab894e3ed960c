package dev.skep.runtime.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsTest {
  private record AgentConfig(String engine, Duration grace, long retries, boolean adopt, Optional<String> token) {
    static AgentConfig from(Settings settings) {
      return new AgentConfig(settings.text("engine", "unix:///var/run/docker.sock"), settings.duration("grace", Duration.ofSeconds(3)),
          settings.number("pull-retries", 5), settings.flag("adopt", true), settings.secret("token"));
    }
  }

  @Test
  void flagsWinOverVariablesAndThoseOverTheFile(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("skep.properties"), "agent.engine = file\nagent.grace = 1s\nagent.pull-retries = 1\n");
    Settings settings = Settings.load(Optional.of(file),
        Map.of("SKEP_AGENT_GRACE", "250ms", "SKEP_AGENT_PULL_RETRIES", "2", "PATH", "/bin"),
        List.of("--agent.pull-retries=3", "--agent.adopt=false"));
    assertThat(AgentConfig.from(settings.of("agent")))
        .isEqualTo(new AgentConfig("file", Duration.ofMillis(250), 3, false, Optional.empty()));
    settings.refuseUnknown();
  }

  @Test
  void anUnknownKeyIsRefusedWithTheNearestKnownOne() {
    Settings flag = Settings.load(Optional.empty(), Map.of(), List.of("--agent.grase=3s"));
    AgentConfig.from(flag.of("agent"));
    assertThatThrownBy(flag::refuseUnknown).hasMessage("--agent.grase is not a setting; did you mean agent.grace?");
    Settings variable = Settings.load(Optional.empty(), Map.of("SKEP_AGENT_ENGNE", "x"), List.of());
    AgentConfig.from(variable.of("agent"));
    assertThatThrownBy(variable::refuseUnknown).hasMessage("SKEP_AGENT_ENGNE is not a setting; did you mean SKEP_AGENT_ENGINE?");
  }

  @Test
  void aWrongValueSaysWhereAndWhatIsWanted() {
    Settings settings = Settings.load(Optional.empty(), Map.of("SKEP_AGENT_GRACE", "soon"), List.of());
    assertThatThrownBy(() -> AgentConfig.from(settings.of("agent")))
        .hasMessage("SKEP_AGENT_GRACE: 'soon' is not a duration (250ms, 3s, 10m, 1h)");
    assertThatThrownBy(() -> Settings.load(Optional.empty(), Map.of(), List.of("agent.grace=3s")))
        .hasMessage("'agent.grace=3s' is no setting: write --key=value");
  }

  @Test
  void theEffectiveSettingsShowNoSecret() {
    Settings settings = Settings.load(Optional.empty(), Map.of("SKEP_AGENT_TOKEN", "hunter2"), List.of("--agent.grace=5s"));
    AgentConfig.from(settings.of("agent"));
    assertThat(settings.effective()).isEqualTo("""
        agent.adopt = true  (default)
        agent.engine = unix:///var/run/docker.sock  (default)
        agent.grace = 5s
        agent.pull-retries = 5  (default)
        agent.token = ********
        """);
  }
}
