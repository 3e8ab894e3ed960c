package dev.skep.backend.kafka;

import dev.skep.backend.Access;
import dev.skep.backend.DeniedException;
import dev.skep.backend.StoreException;
import java.util.Optional;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.SecurityDisabledException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnsupportedSaslMechanismException;
import org.apache.kafka.common.errors.UnsupportedVersionException;

/** What failed with the brokers, as a sentence that says what to do, where there is something to do. */
final class Plight {
  private static final String GRANT = "; 'skep admin grant' makes users with what they need";

  private Plight() {}

  /** @param what we wanted, as "cannot read the event log" */
  static StoreException of(String what, KafkaConfig config, Throwable failure) {
    String subject = what + ", " + config.place() + ": ";
    return remedy(config, failure)
        .<StoreException>map(sentence -> new DeniedException(subject + sentence, failure))
        .orElseGet(() -> new StoreException(subject + said(failure) + hint(config, failure), failure));
  }

  /** Empty when trying again may help. */
  private static Optional<String> remedy(KafkaConfig config, Throwable failure) {
    for (Throwable one = failure; one != null; one = one.getCause()) {
      switch (one) {
        case SslAuthenticationException tls -> {
          return Optional.of(tls(config, tls));
        }
        case UnsupportedSaslMechanismException _ -> {
          return Optional.of("the brokers take users in another way (" + said(one) + "): name it as ?mechanism=… in the log's address");
        }
        case SaslAuthenticationException _ -> {
          return Optional.of("the brokers do not accept " + who(config) + " with this password (log.user, log.password-file)" + GRANT);
        }
        case AuthenticationException _ -> {
          return Optional.of("the brokers do not accept " + who(config) + " (" + said(one) + ")");
        }
        case AuthorizationException _ -> {
          return Optional.of("the brokers do not allow this to " + who(config) + " (" + said(one) + ")" + GRANT);
        }
        case SecurityDisabledException _ -> {
          return Optional.of("the brokers hold nobody to rights: set authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer"
              + " and super.users there, or use the log without users");
        }
        case InvalidTopicException _ -> {
          return Optional.of("'" + config.topic() + "' is no name for a topic");
        }
        case UnsupportedVersionException _ -> {
          return Optional.of("the brokers are too old or too new for this (" + said(one) + ")");
        }
        default -> {
          // its cause says more
        }
      }
    }
    return Optional.empty();
  }

  private static String tls(KafkaConfig config, SslAuthenticationException failure) {
    String all = whole(failure);
    if (all.contains("certification path") || all.contains("PKIX") || all.contains("signature check failed")) {
      return "the brokers' certificate does not come from " + config.access().tls().map(Access.TlsFiles::root).map(Object::toString).orElse("a known root")
          + " (log.ca): give the root that it comes from";
    }
    if (all.contains("No name matching") || all.contains("No subject alternative")) {
      return "the brokers' certificate is for other names than these (" + said(failure) + "): name brokers as their certificates do";
    }
    if (all.contains("certificate_required") || all.contains("bad_certificate") || all.contains("certificate_unknown") || all.contains("unknown_ca")) {
      return "the brokers do not accept our certificate" + config.access().tls().flatMap(Access.TlsFiles::certificate).map(file -> ", " + file).orElse(": we have none")
          + " (log.certificate, log.key)";
    }
    return "no TLS with the brokers (" + all + "): do they speak TLS at this port?";
  }

  private static String hint(KafkaConfig config, Throwable failure) {
    for (Throwable one = failure; one != null; one = one.getCause()) {
      if (one instanceof TimeoutException && config.access().tls().isEmpty()) {
        return "; should the brokers want TLS, give their root as log.ca";
      }
    }
    return "";
  }

  private static String who(KafkaConfig config) {
    return config.access().credentials().map(user -> "user " + user.user()).orElse(
        config.access().tls().flatMap(Access.TlsFiles::certificate).map(file -> "the certificate " + file).orElse("somebody without user and certificate"));
  }

  private static String said(Throwable failure) {
    return failure.getMessage() == null ? failure.getClass().getSimpleName() : failure.getMessage();
  }

  private static String whole(Throwable failure) {
    StringBuilder all = new StringBuilder(said(failure));
    for (Throwable cause = failure.getCause(); cause != null; cause = cause.getCause()) {
      all.append(": ").append(said(cause));
    }
    return all.toString();
  }
}
