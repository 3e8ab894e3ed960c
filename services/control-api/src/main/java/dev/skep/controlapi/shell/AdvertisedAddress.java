package dev.skep.controlapi.shell;

import dev.skep.api.v1.InitRequest;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.core.ApiError;
import dev.skep.runtime.NetworkDoor;
import dev.skep.runtime.grpc.HostPort;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** The address under which this node is known: given by the user, or found on the machine by swarm's rules. */
final class AdvertisedAddress {
  private static final String BAD = "advertise address must be a non-zero IP address or network interface (with optional port number)";
  private static final String UNKNOWN_TO_SYSTEM =
      "must specify a listening address because the address to advertise is not recognized as a system address, and a system's IP address"
          + " to use could not be uniquely identified";
  private static final String BAD_LISTEN = "listen address must be an IP address or network interface (with port number)";
  private static final String BAD_DATA_PATH =
      "data path address must be a non-zero IP address or network interface (without a port number)";
  private static final String ANYWHERE = "0.0.0.0";
  private static final Path ROUTES = Path.of("/proc/net/route");
  private static final int HIGHEST_PORT = 65_535;
  private static final String LOOPBACK = "127.0.0.1";

  /** One address of the machine and the interface that has it. */
  private record Found(String device, String address) {}

  private AdvertisedAddress() {}

  /** @param automatic nobody is there to be asked: of several addresses take that of the default route */
  static Answer<String> of(InitRequest request, boolean automatic) {
    String asked = withoutPort(request.getAdvertiseAddr());
    if (asked.isEmpty()) {
      String listening = withoutPort(request.getListenAddr());
      return listening.isEmpty() || unspecified(listening) || !isAddress(listening) ? chosen(automatic) : Answer.ok(listening);
    }
    if (isAddress(asked)) {
      if (unspecified(asked)) {
        return Answer.refused(ApiError.badRequest(BAD));
      }
      String listening = withoutPort(request.getListenAddr());
      boolean bound = !listening.isEmpty() && !unspecified(listening);
      return bound || onThisMachine(asked) ? Answer.ok(asked) : Answer.refused(ApiError.badRequest(UNKNOWN_TO_SYSTEM));
    }
    return ofDevice(asked, BAD);
  }

  /** Where a machine that joins is known: as the user says, else by the address from which it reaches the manager. */
  static Answer<String> joining(String asked, String onTheWay) {
    return asked.isEmpty() ? Answer.ok(onTheWay) : address(withoutPort(asked), BAD);
  }

  /** Where overlay traffic goes; the empty text means: to the advertised address. */
  static Answer<String> dataPath(String asked) {
    return asked.isEmpty() ? Answer.ok("") : address(asked, BAD_DATA_PATH);
  }

  /** host:port to listen at. */
  static Answer<String> listening(String asked) {
    String host = withoutPort(asked);
    String port = host.equals(asked) ? "" : asked.substring(asked.lastIndexOf(':') + 1);
    if (!port.isEmpty() && (!port.matches("[0-9]{1,5}") || Integer.parseInt(port) > HIGHEST_PORT)) {
      return Answer.refused(ApiError.badRequest(BAD_LISTEN));
    }
    Answer<String> address = host.isEmpty() ? Answer.ok(ANYWHERE) : isAddress(host) ? Answer.ok(host) : ofDevice(host, BAD_LISTEN);
    return address.map(found -> HostPort.of(found, port.isEmpty() ? NetworkDoor.PORT : Integer.parseInt(port)));
  }

  /** host:port under which other nodes reach the door that is open at {@code opened}. */
  static String reachable(String advertised, String asked, String opened) {
    String port = withoutPort(asked).equals(asked) ? opened.substring(opened.lastIndexOf(':') + 1) : asked.substring(asked.lastIndexOf(':') + 1);
    return HostPort.of(advertised, Integer.parseInt(port));
  }

  private static Answer<String> address(String asked, String complaint) {
    if (isAddress(asked)) {
      return unspecified(asked) ? Answer.refused(ApiError.badRequest(complaint)) : Answer.ok(asked);
    }
    return ofDevice(asked, complaint);
  }

  private static Answer<String> ofDevice(String device, String complaint) {
    return addresses(true).stream()
        .filter(found -> found.device().equals(device))
        .findFirst()
        .<Answer<String>>map(found -> Answer.ok(found.address()))
        .orElseGet(() -> Answer.refused(ApiError.badRequest(complaint)));
  }

  private static Answer<String> chosen(boolean automatic) {
    List<Found> candidates = addresses(false);
    if (candidates.isEmpty()) {
      return Answer.ok(LOOPBACK); // a machine without a network is a cluster of one
    }
    if (candidates.size() == 1) {
      return Answer.ok(candidates.getFirst().address());
    }
    if (automatic) {
      Optional<String> device = defaultRoute();
      return Answer.ok(
          candidates.stream().filter(found -> device.filter(found.device()::equals).isPresent()).findFirst().orElse(candidates.getFirst())
              .address());
    }
    String list = candidates.stream().map(found -> found.address() + " on " + found.device()).collect(Collectors.joining(" and "));
    return Answer.refused(
        ApiError.badRequest(
            "could not choose an IP address to advertise since this system has multiple addresses on different interfaces (" + list + ")"));
  }

  /** IPv4 addresses of interfaces that are up; without loopback and bridges of containers unless all are wanted. */
  private static List<Found> addresses(boolean all) {
    List<Found> found = new ArrayList<>();
    try {
      for (NetworkInterface device : Collections.list(NetworkInterface.getNetworkInterfaces())) {
        if (!all && (!device.isUp() || device.isLoopback() || ofContainers(device.getName()))) {
          continue;
        }
        for (InetAddress address : Collections.list(device.getInetAddresses())) {
          if (address instanceof Inet4Address) {
            found.add(new Found(device.getName(), address.getHostAddress()));
            break;
          }
        }
      }
    } catch (SocketException e) {
      throw new IllegalStateException("the machine does not tell its interfaces", e);
    }
    return found;
  }

  private static boolean ofContainers(String device) {
    return device.startsWith("docker") || device.startsWith("br-") || device.startsWith("skb") || device.startsWith("veth");
  }

  private static Optional<String> defaultRoute() {
    try {
      for (String line : Files.readAllLines(ROUTES)) {
        String[] fields = line.split("\\s+");
        if (fields.length > 2 && fields[1].equals("00000000")) {
          return Optional.of(fields[0]);
        }
      }
    } catch (IOException _) { // without the table there is no preference
      return Optional.empty();
    }
    return Optional.empty();
  }

  private static boolean onThisMachine(String address) {
    try {
      return NetworkInterface.getByInetAddress(InetAddress.ofLiteral(address)) != null;
    } catch (SocketException _) { // an address that the machine cannot place is not its own
      return false;
    }
  }

  private static boolean isAddress(String text) {
    try {
      return InetAddress.ofLiteral(text) instanceof Inet4Address;
    } catch (IllegalArgumentException _) { // a name
      return false;
    }
  }

  private static boolean unspecified(String address) {
    return isAddress(address) && InetAddress.ofLiteral(address).isAnyLocalAddress();
  }

  private static String withoutPort(String text) {
    int colon = text.indexOf(':');
    return colon >= 0 && colon == text.lastIndexOf(':') ? text.substring(0, colon) : text;
  }
}
