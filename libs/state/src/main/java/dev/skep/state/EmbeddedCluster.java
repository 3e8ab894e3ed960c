package dev.skep.state;

/** What a cluster on an embedded store cannot do. */
public final class EmbeddedCluster {
  /** For whoever asks for another manager: why there is one, and the way out. */
  public static final String ONE_MANAGER = "this cluster keeps its state inside its one manager and cannot have another: join as a worker"
      + " (docker swarm join-token worker), or move the cluster to etcd and Kafka first (skep migrate); then it can have several managers";

  private EmbeddedCluster() {}
}
