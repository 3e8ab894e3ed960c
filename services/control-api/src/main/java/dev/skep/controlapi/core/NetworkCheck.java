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
    return name(request.getName()).or(() -> notBuilt(request)).or(() -> pools(request));
  }

  private static Optional<ApiError> name(String name) {
    if (name.isBlank()) {
      return Optional.of(ApiError.internal("invalid name: " + name));
    }
    if (name.length() > MAX_NAME) {
      return Optional.of(ApiError.invalidArgument("name must be 63 characters or fewer"));
    }
    return NAME.matcher(name).matches() ? Optional.empty() : Optional.of(ApiError.invalidArgument("name must be valid as a DNS name component"));
  }

  private static Optional<ApiError> notBuilt(NetworkCreateRequest request) {
    if (request.getAttachable()) {
      return refused("an attachable network", "leave --attachable away; containers that are no tasks cannot join overlay networks");
    }
    if (request.getEnableIpv6()) {
      return refused("IPv6 on overlay networks", "leave --ipv6 away");
    }
    if (request.getOptionsMap().containsKey("encrypted")) {
      return refused("an encrypted overlay network", "leave --opt encrypted away");
    }
    if (request.getConfigOnly() || !request.getConfigFrom().getNetwork().isEmpty()) {
      return refused("an overlay network made from or as a configuration", "give its options directly");
    }
    if (!request.getIpam().getDriver().isEmpty() && !request.getIpam().getDriver().equals("default")) {
      return refused("the IPAM driver " + request.getIpam().getDriver(), "use the default one");
    }
    if (request.getIpam().getConfigCount() > 1) {
      return refused("more than one subnet in an overlay network", "give one --subnet");
    }
    return Optional.empty();
  }

  private static Optional<ApiError> refused(String what, String wayOut) {
    return Optional.of(ApiError.notBuilt(what, wayOut));
  }

  private static Optional<ApiError> pools(NetworkCreateRequest request) {
    for (IPAMPool pool : request.getIpam().getConfigList()) {
      if (!pool.getAuxiliaryAddressesMap().isEmpty()) {
        return refused("auxiliary addresses in an overlay network", "leave --aux-address away");
      }
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
