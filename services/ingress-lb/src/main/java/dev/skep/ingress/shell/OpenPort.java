package dev.skep.ingress.shell;

import dev.skep.ingress.core.Route;
import io.netty.util.concurrent.Future;

/** A published port while it is open on this node. */
sealed interface OpenPort permits TcpPort, UdpPublished {
  /** New connections and flows follow the route from when this returns; UDP flows to withdrawn tasks are gone soon after. */
  Future<?> route(Route route);

  /** Takes nothing new. TCP connections that are open stay; UDP flows end. */
  Future<?> close();
}
