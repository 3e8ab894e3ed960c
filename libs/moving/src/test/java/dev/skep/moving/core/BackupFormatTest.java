package dev.skep.moving.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.backup.v1.Header;
import dev.skep.moving.Generated;
import dev.skep.state.ClusterState.Stored;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class BackupFormatTest {
  private static final int SEEDS = 50;

  @Test
  void whatIsReadIsWhatWasWritten() {
    for (long seed = 0; seed < SEEDS; seed++) {
      Copy copy = Generated.copy(seed);
      Copy read = Generated.good(BackupFormat.decode(BackupFormat.encode(copy)));
      assertThat(read.revision()).isEqualTo(copy.revision());
      assertThat(read.copiedAt()).isEqualTo(copy.copiedAt());
      assertThat(read.digest()).isEqualTo(copy.digest());
      assertThat(read.cluster()).isEqualTo(copy.cluster());
      assertThat(read.rows()).extracting(Stored::path).containsExactlyElementsOf(copy.rows().stream().map(Stored::path).toList());
      assertThat(read.rows()).extracting(Stored::createRevision).containsExactlyElementsOf(copy.rows().stream().map(Stored::createRevision).toList());
    }
  }

  @Test
  void everyCutAndEveryFlippedBitIsSeen() {
    byte[] good = BackupFormat.encode(Generated.copy(1));
    for (int length = 0; length < good.length; length += 1 + length / 50) {
      assertThat(BackupFormat.decode(Arrays.copyOf(good, length))).as("cut at %d", length).isInstanceOf(Verdict.Refused.class);
    }
    assertThat(BackupFormat.decode(Arrays.copyOf(good, good.length + 1))).isInstanceOf(Verdict.Refused.class);
    Random random = new Random(1);
    for (int i = 0; i < 500; i++) {
      byte[] bad = good.clone();
      int at = random.nextInt(bad.length);
      bad[at] ^= (byte) (1 << random.nextInt(8));
      assertThat(BackupFormat.decode(bad)).as("byte %d changed", at).isInstanceOf(Verdict.Refused.class);
    }
  }

  @Test
  void aNewerFormatSaysSo() {
    byte[] header = Header.newBuilder().setFormat(2).build().toByteArray();
    byte[] magic = "skep backup\n".getBytes(StandardCharsets.US_ASCII);
    byte[] newer = ByteBuffer.allocate(magic.length + 4 + header.length + 5).put(magic).putInt(header.length).put(header).array();
    assertThat(Generated.refusal(BackupFormat.decode(newer))).contains("newer version").contains("format 2");
  }

  @Test
  void anotherFileIsNotTakenForDamage() {
    assertThat(Generated.refusal(BackupFormat.decode("SQLite format 3".getBytes(StandardCharsets.US_ASCII)))).contains("no backup of Skep");
    assertThat(Generated.refusal(BackupFormat.decode(new byte[0]))).contains("no backup of Skep");
  }
}
