package dev.skep.controlapi.core;

import dev.skep.api.v1.IPAMPool;
import dev.skep.api.v1.NetworkCreateRequest;
import dev.skep.state.Subnet;
import java.util.Optional;
import java.util.regex.Pattern;

/** What is wrong with a request for an overlay network, whatever else there is in the cluster. */
final class NetworkCheck {
  private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9](?:[-_]*[A-Za-z0-9]+)*");
  private static final int MAX_NAME = 63;

  private NetworkCheck() {}

  static Optional<ApiError> refusal(NetworkCreateRequest request) {
    return name(request.getName()).or(() -> NotBuilt.inNetwork(request)).or(() -> pools(request));
  }

  private static Optional<ApiError> name(String name) {
    if (name.isBlank()) {
      return Optional.of(ApiError.internal("invalid name: " + name));
    }
    if (name.length() > MAX_NAME) {
      return Optional.of(ApiError.invalidArgument("name must be 63 characters or fewer"));
    }
    return NAME.matcher(name).matches() ? Optional.empty()
        : Optional.of(ApiError.invalidArgument("name must be valid as a DNS name component"));
  }

  private static Optional<ApiError> refused(String what, String wayOut) {
    return Optional.of(ApiError.notBuilt(what, wayOut));
  }

  private static Optional<ApiError> pools(NetworkCreateRequest request) {
    for (IPAMPool pool : request.getIpam().getConfigList()) {
      if (pool.getSubnet().isEmpty()) {
        if (!pool.getGateway().isEmpty() || !pool.getIpRange().isEmpty()) {
          return Optional.of(ApiError.badRequest("a gateway or an IP range needs a subnet"));
        }
        continue;
      }
      Optional<Subnet> subnet = subnet(pool.getSubnet());
      if (subnet.isEmpty()) {
        return Optional.of(ApiError.internal("Invalid subnet " + pool.getSubnet() + " : invalid CIDR address: " + pool.getSubnet()));
      }
      Optional<ApiError> found = inside(subnet.get(), pool);
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private static Optional<ApiError> inside(Subnet subnet, IPAMPool pool) {
    if (NetworkWrites.tooSmall(subnet)) {
      return Optional.of(ApiError.badRequest("subnet " + subnet + " is too small for an overlay network: /29 is the smallest"));
    }
    if (!pool.getGateway().isEmpty()) {
      return refused("a gateway of one's own in an overlay network", "leave --gateway away; every node has its own in each network");
    }
    if (!pool.getIpRange().isEmpty()) {
      Optional<Subnet> range = subnet(pool.getIpRange());
      if (range.isEmpty() || range.get().base() < subnet.base() || range.get().last() > subnet.last()) {
        return Optional.of(ApiError.badRequest("IP range " + pool.getIpRange() + " is not inside " + subnet));
      }
      return refused("an IP range in an overlay network", "leave --ip-range away");
    }
    return Optional.empty();
  }

  static Optional<Subnet> subnet(String cidr) {
    try {
      return Optional.of(Subnet.parse(cidr));
    } catch (IllegalArgumentException _) { // what a user wrote
      return Optional.empty();
    }
  }
}
