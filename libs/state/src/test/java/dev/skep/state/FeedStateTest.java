package dev.skep.state;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.feed.v1.EndpointEntry;
import dev.skep.feed.v1.FeedEntry;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.feed.v1.ServiceEntry;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class FeedStateTest {
  @Test
  void differencesAddUpToWhatTheSourceHolds() {
    for (long seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      Map<String, FeedEntry> source = new TreeMap<>();
      FeedState state = moved(FeedState.empty(), FeedUpdate.newBuilder().setEpoch("e").setRevision(1).setComplete(true).build());
      for (int revision = 2; revision < 60; revision++) {
        FeedUpdate.Builder update = FeedUpdate.newBuilder().setEpoch("e").setRevision(revision).setPrevious(revision - 1);
        for (int n = random.nextInt(4); n > 0; n--) {
          FeedEntry entry = entry(random);
          if (random.nextInt(3) == 0) {
            source.remove(entry.getKey());
            update.addRemove(entry.getKey());
          } else if (!update.getRemoveList().contains(entry.getKey())) {
            source.put(entry.getKey(), entry);
            update.addPut(entry);
          }
        }
        state = moved(state, update.build());
        if (random.nextInt(10) == 0) {
          state = moved(state, state.toUpdate());
        }
      }
      FeedUpdate.Builder all = FeedUpdate.newBuilder().setEpoch("e").setRevision(59).setComplete(true);
      source.values().forEach(all::addPut);
      assertThat(state.toUpdate()).as("seed %s", seed).isEqualTo(all.build());
      for (int service = 0; service < 3; service++) {
        String id = "s" + service;
        assertThat(state.endpointsOf(id)).as("seed %s", seed)
            .containsExactlyInAnyOrderElementsOf(
                source.values().stream().map(FeedEntry::getEndpoint).filter(endpoint -> endpoint.getServiceId().equals(id)).toList());
      }
    }
  }

  @Test
  void whatDoesNotFitIsStaleOrAsksForEverything() {
    FeedState state = moved(FeedState.empty(), FeedUpdate.newBuilder().setEpoch("e").setRevision(10).setComplete(true).build());
    assertThat(state.apply(difference("other", 11, 0))).isInstanceOf(FeedState.Outcome.NeedsComplete.class);
    assertThat(state.apply(difference("e", 12, 11))).isInstanceOf(FeedState.Outcome.NeedsComplete.class);
    assertThat(state.apply(difference("e", 9, 8))).isInstanceOf(FeedState.Outcome.Stale.class);
    assertThat(state.apply(difference("e", 9, 0))).isInstanceOf(FeedState.Outcome.NeedsComplete.class);
    assertThat(state.apply(difference("e", 11, 10))).isInstanceOf(FeedState.Outcome.Moved.class);
    assertThat(state.apply(difference("e", 11, 0))).isInstanceOf(FeedState.Outcome.Moved.class);
    assertThat(state.apply(FeedUpdate.newBuilder().setEpoch("e").setRevision(9).setComplete(true).build()))
        .isInstanceOf(FeedState.Outcome.Stale.class);
    assertThat(state.apply(FeedUpdate.newBuilder().setEpoch("restored").setRevision(3).setComplete(true).build()))
        .isInstanceOf(FeedState.Outcome.Moved.class);
  }

  @Test
  void onlyWhatDiffersCountsAsChanged() {
    FeedEntry web = service("s1", "web");
    FeedState state = moved(FeedState.empty(), FeedUpdate.newBuilder().setEpoch("e").setRevision(1).setComplete(true).addPut(web).build());
    FeedUpdate again = FeedUpdate.newBuilder().setEpoch("f").setRevision(1).setComplete(true).addPut(web).addPut(service("s2", "db")).build();
    assertThat(((FeedState.Outcome.Moved) state.apply(again)).changed()).containsExactly("service/s2");
  }

  private static FeedUpdate difference(String epoch, long revision, long previous) {
    return FeedUpdate.newBuilder().setEpoch(epoch).setRevision(revision).setPrevious(previous).build();
  }

  private static FeedState moved(FeedState state, FeedUpdate update) {
    return ((FeedState.Outcome.Moved) state.apply(update)).state();
  }

  private static FeedEntry service(String id, String name) {
    return FeedEntry.newBuilder().setKey("service/" + id).setService(ServiceEntry.newBuilder().setId(id).setName(name)).build();
  }

  private static FeedEntry entry(Random random) {
    if (random.nextInt(4) == 0) {
      return service("s" + random.nextInt(3), "name" + random.nextInt(2));
    }
    int task = random.nextInt(12);
    return FeedEntry.newBuilder()
        .setKey("endpoint/t" + task)
        .setEndpoint(
            EndpointEntry.newBuilder()
                .setTaskId("t" + task)
                .setServiceId("s" + random.nextInt(3))
                .setSlot(random.nextInt(12))
                .setServing(random.nextBoolean()))
        .build();
  }
}
