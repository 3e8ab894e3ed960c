package dev.skep.dns.shell;

import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.Counter;
import io.prometheus.client.Gauge;
import java.util.function.IntSupplier;

/** The resolver's metrics. */
final class Counts {
  private static final String[] CODES = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};

  private final Counter.Child[] local = new Counter.Child[CODES.length];
  private final Counter.Child answered;
  private final Counter.Child unanswered;
  private final Counter noise;
  private final Counter.Child other;

  Counts(CollectorRegistry registry, IntSupplier waiting, IntSupplier names) {
    Counter answers =
        Counter.build("skep_dns_answers_total", "Questions answered from the zone").labelNames("code").register(registry);
    for (int code = 0; code < CODES.length; code++) {
      local[code] = answers.labels(CODES[code]);
    }
    other = answers.labels("other");
    Counter forwarded =
        Counter.build("skep_dns_forwarded_total", "Questions asked elsewhere").labelNames("answered").register(registry);
    answered = forwarded.labels("yes");
    unanswered = forwarded.labels("no");
    noise = Counter.build("skep_dns_noise_total", "Messages that are no questions").register(registry);
    gauge(registry, "skep_dns_waiting", "Questions that wait for other resolvers", waiting);
    gauge(registry, "skep_dns_names", "Names in all networks", names);
  }

  private static void gauge(CollectorRegistry registry, String name, String help, IntSupplier value) {
    Gauge.build(name, help)
        .create()
        .setChild(
            new Gauge.Child() {
              @Override
              public double get() {
                return value.getAsInt();
              }
            })
        .register(registry);
  }

  void local(int code) {
    (code < local.length ? local[code] : other).inc();
  }

  void forwarded(boolean withAnswer) {
    (withAnswer ? answered : unanswered).inc();
  }

  void noise() {
    noise.inc();
  }
}
