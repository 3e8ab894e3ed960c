package dev.skep.backend.etcd;

import com.google.protobuf.ByteString;
import dev.skep.backend.CompactedException;
import dev.skep.backend.Store.Entry;
import dev.skep.backend.Store.Snapshot;
import io.etcd.jetcd.api.KVGrpc;
import io.etcd.jetcd.api.KeyValue;
import io.etcd.jetcd.api.RangeRequest;
import io.etcd.jetcd.api.RangeResponse;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/** Reads. A prefix is read in pages of bounded size, all at the revision of the first one. */
final class Ranges {
  private static final int FIRST_PAGE = 128;
  private static final int LARGEST_PAGE = 10_000;
  private static final long PAGE_BYTES = 2 << 20;
  private static final int TRIES = 3;

  private final Calls calls;
  private final Keys keys;
  private final LongSupplier oldest;

  /** @param oldest asks etcd for the oldest revision that it still has */
  Ranges(Calls calls, Keys keys, LongSupplier oldest) {
    this.calls = calls;
    this.keys = keys;
    this.oldest = oldest;
  }

  Optional<Entry> get(String key) {
    RangeResponse response = calls.ask(KVGrpc.getRangeMethod(), RangeRequest.newBuilder().setKey(keys.key(key)).build());
    return response.getKvsCount() == 0 ? Optional.empty() : Optional.of(entry(response.getKvs(0)));
  }

  /** As it is now. When a compaction overtakes the pages it begins anew. */
  Snapshot read(String prefix) {
    for (int tries = 1; ; tries++) {
      try {
        return pages(prefix, 0);
      } catch (CompactedException e) {
        if (tries == TRIES) {
          throw e;
        }
      }
    }
  }

  Snapshot readAt(String prefix, long revision) {
    if (revision < 1) {
      throw new CompactedException(revision, oldest.getAsLong());
    }
    return pages(prefix, revision);
  }

  private Snapshot pages(String prefix, long asked) {
    List<Entry> entries = new ArrayList<>();
    RangeRequest.Builder request = RangeRequest.newBuilder().setKey(keys.first(prefix)).setRangeEnd(keys.end(prefix)).setLimit(FIRST_PAGE)
        .setRevision(asked);
    while (true) {
      RangeResponse page;
      try {
        page = calls.ask(KVGrpc.getRangeMethod(), request.build());
      } catch (Calls.Refused e) {
        if (Fate.compacted(e.status())) {
          throw new CompactedException(request.getRevision(), oldest.getAsLong());
        }
        if (Fate.tooLargeToReceive(e.status()) && request.getLimit() > 1) {
          request.setLimit(Math.max(1, request.getLimit() / 8));
          continue;
        }
        throw e;
      }
      if (request.getRevision() == 0) {
        request.setRevision(page.getHeader().getRevision());
      }
      page.getKvsList().forEach(kv -> entries.add(entry(kv)));
      if (!page.getMore()) {
        entries.sort(Comparator.comparing(Entry::key)); // what is sealed stands elsewhere in etcd than where its name belongs
        return new Snapshot(request.getRevision(), entries);
      }
      request.setKey(Keys.after(page.getKvs(page.getKvsCount() - 1).getKey())).setLimit(nextPage(page));
    }
  }

  private static long nextPage(RangeResponse page) {
    long each = Math.max(1, page.getSerializedSize() / page.getKvsCount());
    return Math.clamp(PAGE_BYTES / each, 1, LARGEST_PAGE);
  }

  private Entry entry(KeyValue kv) {
    return new Entry(keys.name(kv.getKey()), kv.getValue().toByteArray(), kv.getCreateRevision(), kv.getModRevision());
  }

  /** The store's newest revision. The key need not exist. */
  long revision(ByteString anyKey) {
    return calls.ask(KVGrpc.getRangeMethod(), RangeRequest.newBuilder().setKey(anyKey).setCountOnly(true).build()).getHeader().getRevision();
  }
}
