package dev.skep.load.edge;

/** Where everything listens, on loopback. */
final class Ports {
  static final int ECHO = 17_100;
  static final int STREAM = 17_101;
  static final int DNS_SKEP = 17_300;
  static final int DNS_DNSMASQ = 17_301;
  static final int DNS_UNBOUND = 17_302;
  static final String[] BACKENDS = {"127.0.1.1", "127.0.1.2"};
  static final String ASKER = "127.0.3.3";

  private Ports() {}

  /** What a proxy publishes: echo at the base, stream one above. */
  enum Proxy {
    DIRECT(ECHO),
    SKEP(17_200),
    HAPROXY(17_210),
    NGINX(17_220);

    final int base;

    Proxy(int base) {
      this.base = base;
    }
  }
}
