package dev.skep.skepd;

import dev.skep.runtime.config.Settings;
import dev.skep.runtime.host.ProcessSettings;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What the processes of one machine are told; services read their own settings beside it.
 *
 * @param data durable files
 * @param run sockets and pid files
 * @param instance empty for the machine's default instance, else up to four hex digits that mark what is ours
 * @param engine the engine's unix socket
 * @param api addresses of the Docker Engine API: {@code unix:///…} or {@code tcp://127.0.0.1:…}
 * @param metrics where /metrics, /live and /ready answer, on loopback unless asked otherwise; empty: nowhere
 * @param rehearse start, answer a few calls, end: the training run of the start-up cache
 */
public record SkepdConfig(
    Path data, Path run, String instance, Path engine, List<String> api, Optional<InetSocketAddress> metrics, boolean rehearse) {
  private static final String ENGINE = "unix:///var/run/docker.sock";

  public static SkepdConfig from(Settings settings) {
    ProcessSettings process = ProcessSettings.plain(settings);
    Path run = process.run();
    String engine = settings.text("engine", ENGINE);
    return new SkepdConfig(
        process.data(),
        run,
        settings.text("instance", ""),
        Path.of(engine.replaceFirst("^unix://", "")),
        List.of(settings.text("api", "unix://" + run.resolve("docker.sock")).split(",")),
        process.metrics(),
        settings.flag("rehearse", false));
  }
}
