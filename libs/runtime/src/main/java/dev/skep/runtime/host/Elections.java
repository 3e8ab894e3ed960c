package dev.skep.runtime.host;

import dev.skep.runtime.election.Campaign;
import dev.skep.runtime.grpc.PeerLines;
import dev.skep.runtime.loop.Candidacy;
import java.time.Duration;

/**
 * The process's part in elections, on a store that several processes share. It campaigns once it has started: then its
 * door is open, and the others can tell at once when it ends. Without a loop nothing begins.
 */
final class Elections implements AutoCloseable {
  private static final String PEER = "peer";

  private final ProcessHost host;
  private final PeerLines lines;
  private final Campaign campaign;
  private boolean started; // guarded by this
  private boolean wanted; // there is a loop; guarded by this
  private boolean begun; // guarded by this

  Elections(ProcessHost host, Network network, String holder, Duration leaseLife) {
    this.host = host;
    this.lines = new PeerLines(host.trust(), host.calls());
    this.campaign = new Campaign(holder, network, host.store(), host.view(), lines, host::after, leaseLife);
    network.onMove(campaign::news);
    host.serve(PEER, PeerLines.service(holder));
  }

  Candidacy candidacy() {
    return campaign;
  }

  synchronized void loop(String name, Runnable look) {
    campaign.loop(name, look);
    wanted = true;
    begin();
  }

  /** All components have started, and the door is open where there is one. */
  synchronized void started() {
    started = true;
    begin();
  }

  private void begin() {
    if (started && wanted && !begun) {
      begun = true;
      host.thread("lease", campaign.keeper());
    }
  }

  /** After the loops have ended. */
  @Override
  public void close() {
    campaign.close();
    lines.close();
  }
}
