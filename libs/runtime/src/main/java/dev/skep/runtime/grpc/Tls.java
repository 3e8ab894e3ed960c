package dev.skep.runtime.grpc;

import dev.skep.runtime.identity.Trust;
import io.grpc.netty.GrpcSslContexts;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import javax.net.ssl.SSLException;
import javax.net.ssl.X509ExtendedTrustManager;

/** TLS 1.3 of the JDK, as gRPC wants it. What is shown and believed is looked up anew in every handshake. */
final class Tls {
  /** The name that every manager's certificate carries: machines are told apart by node id, not by host name. */
  static final String AUTHORITY = "swarm-manager";

  private static final String VERSION = "TLSv1.3";
  private static final int RESUMPTION_SECONDS = 60; // a resumed session is not judged anew: not for long

  private Tls() {}

  /** A certificate is asked for and not demanded: a machine that joins has none. One that is shown must be good. */
  static SslContext server(Trust trust) {
    SslContextBuilder builder =
        SslContextBuilder.forServer(trust.keys()).trustManager(trust.peers()).clientAuth(ClientAuth.OPTIONAL).sessionTimeout(RESUMPTION_SECONDS);
    return built(builder);
  }

  static SslContext node(Trust trust) {
    return built(SslContextBuilder.forClient().keyManager(trust.keys()).trustManager(trust.peers()));
  }

  /** Of a machine that has no certificate. */
  static SslContext stranger(X509ExtendedTrustManager believed) {
    return built(SslContextBuilder.forClient().trustManager(believed));
  }

  private static SslContext built(SslContextBuilder builder) {
    try {
      return GrpcSslContexts.configure(builder, SslProvider.JDK).protocols(VERSION).build();
    } catch (SSLException e) {
      throw new IllegalStateException("this JDK cannot do TLS 1.3", e);
    }
  }
}
