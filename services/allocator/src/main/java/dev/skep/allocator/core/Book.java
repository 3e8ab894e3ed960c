package dev.skep.allocator.core;

import dev.skep.api.v1.IPAMPool;
import dev.skep.state.Subnet;
import java.util.BitSet;

/**
 * Which addresses of one network are taken. New ones are given next-fit, beginning behind the one that was given last,
 * so that an address which has just become free rests for as long as possible.
 */
final class Book {
  private final String name;
  private final Subnet subnet;
  private final long low;  // first and last address that may be given
  private final long high;
  private final long firstGateway;
  private final BitSet taken = new BitSet(); // by distance from low
  private boolean gatewayTaken;
  private long last;
  private long lastRevision = -1;

  Book(String name, Subnet subnet, IPAMPool asked) {
    this.name = name;
    this.subnet = subnet;
    Subnet range = asked.getIpRange().isEmpty() ? subnet : Subnet.parse(asked.getIpRange());
    this.low = Math.max(range.base(), subnet.base() + 1);
    this.high = Math.min(range.last(), subnet.last() - 1);
    this.firstGateway = asked.getGateway().isEmpty() ? subnet.base() + 1 : Subnet.addressOf(asked.getGateway());
    this.last = low - 1;
    mark(firstGateway);
    asked.getAuxiliaryAddressesMap().values().forEach(address -> mark(Subnet.addressOf(address)));
  }

  Subnet subnet() {
    return subnet;
  }

  /** An address that a stored row names. Revisions tell which was given last; {@code held}: it is not free again. */
  void note(long address, long createRevision, boolean held) {
    if (!subnet.contains(address)) {
      return;
    }
    if (createRevision > lastRevision || createRevision == lastRevision && address > last) {
      lastRevision = createRevision;
      last = address;
    }
    if (held) {
      mark(address);
    }
  }

  void noteGateway(long address, long createRevision) {
    // The first gateway is reserved from the beginning: it says nothing about where the others have come to.
    if (address == firstGateway) {
      gatewayTaken = true;
    } else {
      note(address, createRevision, true);
    }
  }

  /** The reserved gateway address to the first node that asks, another one to the others; -1 when none is left. */
  long takeGateway() {
    if (!gatewayTaken) {
      gatewayTaken = true;
      return firstGateway;
    }
    return take();
  }

  /** A free address, now taken; -1 when none is left. */
  long take() {
    long free = free();
    if (free >= 0) {
      mark(free);
      last = free;
    }
    return free;
  }

  boolean full() {
    return free() < 0;
  }

  String exhausted() {
    return "no address left in network " + name + " (" + subnet + "): " + taken.cardinality() + " in use";
  }

  private long free() {
    long from = last < low || last >= high ? low : last + 1;
    long found = from(from);
    return found <= high ? found : (found = from(low)) < from && found <= high ? found : -1;
  }

  private long from(long address) {
    return low + taken.nextClearBit((int) (address - low));
  }

  private void mark(long address) {
    if (address >= low && address <= high) {
      taken.set((int) (address - low));
    }
  }
}
