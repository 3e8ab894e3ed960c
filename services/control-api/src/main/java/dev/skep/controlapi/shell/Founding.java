package dev.skep.controlapi.shell;

import dev.skep.api.v1.InitRequest;
import dev.skep.api.v1.JoinRequest;
import dev.skep.controlapi.core.Answer;
import dev.skep.runtime.Host;
import dev.skep.runtime.Membership;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Optional;

/** Gives a host its identity before any of its services runs: they find it when they start, or a second later. */
public final class Founding {
  private Founding() {}

  /**
   * Makes a cluster in the host's store, and the host its first manager; nothing happens when it is that already.
   *
   * @param replace a cluster that the store holds may be thrown away
   * @return the node's id, or Docker's sentence
   */
  public static Answer<String> init(Host host, InitRequest request, boolean replace) {
    Cluster cluster = new Cluster(host, new Commits(host), Duration.ZERO);
    Optional<Membership.Identity> member = cluster.member(host.view().fresh(Commits.LIMIT));
    return member.map(known -> Answer.ok(known.nodeId())).orElseGet(() -> cluster.found(request, replace));
  }

  /** Takes the host into a cluster; nothing happens when it is in one. Answers the node's id. */
  public static Answer<String> join(Host host, JoinRequest request) {
    return host.membership().current().map(known -> Answer.ok(known.nodeId()))
        .orElseGet(() -> new JoinedMembership(host, new SecureRandom(), new Elsewhere()).join(request));
  }

  /** The services are processes that start later, each with the store and the port that it is told. */
  private static final class Elsewhere implements JoinedMembership.Place {
    @Override
    public String open(String listenAddress) {
      return listenAddress;
    }

    @Override
    public void close() {}

    @Override
    public boolean has(String clusterId) {
      return true;
    }

    @Override
    public void again(Membership.Identity manager) {}
  }
}
