package dev.skep.runtime.identity;

import java.security.cert.X509Certificate;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whom a node certificate names: CN = node id, OU = {@code swarm-worker} or {@code swarm-manager}, O = cluster id. */
public record NodeName(String nodeId, NodeRole role, String clusterId) {
  static final String UNIT = "swarm-";
  private static final String ID = "[0-9A-Za-z]{1,64}";
  // The last part comes first in this form. Nothing else may stand in the name: what is odd is refused, not interpreted.
  private static final Pattern SUBJECT = Pattern.compile("O=(" + ID + "),OU=" + UNIT + "(worker|manager),CN=(" + ID + ")");

  public NodeName {
    if (!nodeId.matches(ID) || !clusterId.matches(ID)) {
      throw new IllegalArgumentException("ids are letters and digits, not '" + nodeId + "' and '" + clusterId + "'");
    }
  }

  /** Empty for a certificate that is no node's. */
  static Optional<NodeName> of(X509Certificate certificate) {
    Matcher subject = SUBJECT.matcher(certificate.getSubjectX500Principal().getName());
    if (!subject.matches()) {
      return Optional.empty();
    }
    return Optional.of(new NodeName(subject.group(3), role(subject.group(2)), subject.group(1)));
  }

  private static NodeRole role(String text) {
    return text.equals(NodeRole.MANAGER.text()) ? NodeRole.MANAGER : NodeRole.WORKER;
  }
}
