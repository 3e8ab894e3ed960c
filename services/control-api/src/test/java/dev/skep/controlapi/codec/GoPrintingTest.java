package dev.skep.controlapi.codec;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import dev.skep.api.v1.ErrorResponse;
import dev.skep.api.v1.Secret;
import dev.skep.api.v1.SecretSpec;
import dev.skep.api.v1.ServiceSpec;
import dev.skep.api.v1.UpdateConfig;
import dev.skep.api.v1.Version;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Numbers, times and characters come out as Go's encoder prints them. */
class GoPrintingTest {
  @ParameterizedTest
  @CsvSource({
    "0,0", "-0.0,-0", "1,1", "0.1,0.1", "0.333333333,0.33333334", "0.25,0.25", "100000,100000", "16777216,16777216", "0.000001,0.000001",
    "0.0000001,1e-7", "0.00000012,1.2e-7", "1e20,100000000000000000000", "1e21,1e+21", "1.5e30,1.5e+30", "-1e-10,-1e-10",
  })
  void floats(float value, String printed) {
    assertThat(GoFormat.ofFloat(value)).isEqualTo(printed);
    assertThat(Float.parseFloat(printed)).isEqualTo(value);
  }

  @ParameterizedTest
  @CsvSource({
    "0,0,1970-01-01T00:00:00Z", "1795219222,965333334,2026-11-21T00:00:22.965333334Z", "1795219222,900000000,2026-11-21T00:00:22.9Z",
    "1795219222,1000,2026-11-21T00:00:22.000001Z", "-62135596800,0,0001-01-01T00:00:00Z",
  })
  void times(long seconds, int nanos, String printed) throws JsonMismatch {
    Timestamp time = Timestamp.newBuilder().setSeconds(seconds).setNanos(nanos).build();
    assertThat(GoFormat.ofTime(time)).isEqualTo(printed);
    assertThat(GoFormat.toTime(printed)).isEqualTo(time);
  }

  @Test
  void offsetsAreReadAsUtc() throws JsonMismatch {
    assertThat(GoFormat.ofTime(GoFormat.toTime("2026-11-21T02:00:00.5+02:00"))).isEqualTo("2026-11-21T00:00:00.5Z");
  }

  @Test
  void charactersThatHtmlKnowsAreEscaped() {
    assertThat(text(
        DockerJson.write(ErrorResponse.newBuilder().setMessage("<a> & \"b\" \\ é 世 \u2028 \u0001\b\f\n\r\t \ud83d\ude00").build())))
        .isEqualTo("{\"message\":\"\\u003ca\\u003e \\u0026 \\\"b\\\" \\\\ é 世 \\u2028 \\u0001\\u0008\\u000c\\n\\r\\t \ud83d\ude00\"}\n");
    assertThat(text(DockerJson.writeString("a<b"))).isEqualTo("\"a\\u003cb\"\n");
  }

  @Test
  void emptyValuesFollowTheirFields() {
    assertThat(text(DockerJson.write(ServiceSpec.getDefaultInstance())))
        .isEqualTo("{\"Labels\":{},\"TaskTemplate\":{\"ForceUpdate\":0},\"Mode\":{}}\n");
    assertThat(text(DockerJson.write(UpdateConfig.getDefaultInstance())))
        .isEqualTo("{\"Parallelism\":0,\"MaxFailureRatio\":0,\"Order\":\"\"}\n");
    assertThat(text(DockerJson.write(Version.getDefaultInstance()))).isEqualTo("{}\n");
    assertThat(text(DockerJson.writeArray(List.of()))).isEqualTo("[]\n");
    assertThat(text(DockerJson.writeArray(List.of(Version.getDefaultInstance(), Version.newBuilder().setIndex(-1).build()))))
        .isEqualTo("[{},{\"Index\":18446744073709551615}]\n");
  }

  @Test
  void zeroTimesAndSortedLabelsAndBytes() {
    Secret secret =
        Secret.newBuilder()
            .setSpec(SecretSpec.newBuilder().setName("s").putLabels("\ufffd", "3").putLabels("\ud83d\ude00", "4").putLabels("b", "2")
                .putLabels("a", "1").setData(ByteString.copyFromUtf8("xx")))
            .build();
    assertThat(text(DockerJson.write(secret)))
        .isEqualTo(
            "{\"ID\":\"\",\"Version\":{},\"CreatedAt\":\"0001-01-01T00:00:00Z\",\"UpdatedAt\":\"0001-01-01T00:00:00Z\","
                + "\"Spec\":{\"Name\":\"s\","
                + "\"Labels\":{\"a\":\"1\",\"b\":\"2\",\"\ufffd\":\"3\",\"\ud83d\ude00\":\"4\"},\"Data\":\"eHg=\"}}\n");
  }

  private static String text(byte[] json) {
    return new String(json, StandardCharsets.UTF_8);
  }
}
