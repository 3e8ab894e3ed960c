package dev.skep.controlapi.codec;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Message;
import dev.skep.api.v1.NetworkCreateRequest;
import dev.skep.api.v1.SecretSpec;
import dev.skep.api.v1.ServiceSpec;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Go's own sentences for bodies that cannot be read. Those marked in the recordings (322-327, 343) are among them. */
class ErrorTextsTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "``|got EOF while reading request body",
        "` \n`|got EOF while reading request body",
        "{\"Name\": |unexpected EOF",
        "{\"Name\":\"a|unexpected EOF",
        "{\"Name\":\"a\",|unexpected EOF",
        "{\"Name\": 5}|json: cannot unmarshal number into Go struct field ServiceSpec.Name of type string",
        "{\"Name\": {}}|json: cannot unmarshal object into Go struct field ServiceSpec.Name of type string",
        "{\"Name\": [1]}|json: cannot unmarshal array into Go struct field ServiceSpec.Name of type string",
        "{\"Name\": true}|json: cannot unmarshal bool into Go struct field ServiceSpec.Name of type string",
        "[1]|json: cannot unmarshal array into Go value of type swarm.ServiceSpec",
        "5|json: cannot unmarshal number into Go value of type swarm.ServiceSpec",
        "{\"Labels\":[]}|json: cannot unmarshal array into Go struct field ServiceSpec.Labels of type map[string]string",
        "{\"Labels\":{\"a\":1}}|json: cannot unmarshal number into Go struct field ServiceSpec.Labels of type string",
        "{\"TaskTemplate\":\"x\"}|json: cannot unmarshal string into Go struct field ServiceSpec.TaskTemplate of type swarm.TaskSpec",
        "{\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":1}}}"
            + "|json: cannot unmarshal number into Go struct field ContainerSpec.TaskTemplate.ContainerSpec.Image of type string",
        "{\"TaskTemplate\":{\"ContainerSpec\":{\"Env\":[\"a\",1]}}}"
            + "|json: cannot unmarshal number into Go struct field ContainerSpec.TaskTemplate.ContainerSpec.Env of type string",
        "{\"TaskTemplate\":{\"ContainerSpec\":{\"Env\":\"a\"}}}"
            + "|json: cannot unmarshal string into Go struct field ContainerSpec.TaskTemplate.ContainerSpec.Env of type []string",
        "{\"Mode\":{\"Replicated\":{\"Replicas\":-1}}}"
            + "|json: cannot unmarshal number -1 into Go struct field ReplicatedService.Mode.Replicated.Replicas of type uint64",
        "{\"Mode\":{\"Replicated\":{\"Replicas\":1.5}}}"
            + "|json: cannot unmarshal number 1.5 into Go struct field ReplicatedService.Mode.Replicated.Replicas of type uint64",
        "{\"Mode\":{\"Replicated\":{\"Replicas\":\"1\"}}}"
            + "|json: cannot unmarshal string into Go struct field ReplicatedService.Mode.Replicated.Replicas of type uint64",
        "{\"EndpointSpec\":{\"Ports\":[{\"TargetPort\":4294967296}]}}"
            + "|json: cannot unmarshal number 4294967296 into Go struct field PortConfig.EndpointSpec.Ports.TargetPort of type uint32",
        "{\"EndpointSpec\":{\"Ports\":[7]}}"
            + "|json: cannot unmarshal number into Go struct field EndpointSpec.EndpointSpec.Ports of type swarm.PortConfig",
        "{\"UpdateConfig\":{\"Delay\":\"5s\"}}"
            + "|json: cannot unmarshal string into Go struct field UpdateConfig.UpdateConfig.Delay of type time.Duration",
        "{bad|invalid character 'b' looking for beginning of object key string",
        "{\"a\" 1}|invalid character '1' after object key",
        "{\"a\":1 \"b\"}|invalid character '\"' after object key:value pair",
        "{\"a\":[1 2]}|invalid character '2' after array element",
        "{\"a\":tru}|invalid character '}' in literal true (expecting 'e')",
        "{\"a\":nul1}|invalid character '1' in literal null (expecting 'l')",
        "{\"a\":01}|invalid character '1' after object key:value pair",
        "{\"a\":-}|invalid character '}' in numeric literal",
        "{\"a\":1.}|invalid character '}' after decimal point in numeric literal",
        "{\"a\":1e}|invalid character '}' in exponent of numeric literal",
        "{\"a\":\"\\x\"}|invalid character 'x' in string escape code",
        "{\"a\":\"\\u12G4\"}|invalid character 'G' in \\u hexadecimal character escape",
        "{\"a\":'b'}|invalid character '\\'' looking for beginning of value",
        "{\"a\":1,}|invalid character '}' looking for beginning of object key string",
        "{\"a\":[1,]}|invalid character ']' looking for beginning of value",
        "{\"Name\":5,!|invalid character '!' looking for beginning of object key string",
      })
  void bodies(String body, String message) {
    assertThat(refusal(body, ServiceSpec.getDefaultInstance(), "ServiceSpec")).isEqualTo(message);
  }

  @Test
  void controlCharactersAreQuotedAsInGo() {
    assertThat(refusal("{\"a\":\"\n\"}", ServiceSpec.getDefaultInstance(), "ServiceSpec"))
        .isEqualTo("invalid character '\\n' in string literal");
    assertThat(refusal("{\"a\":\"\u0001\"}", ServiceSpec.getDefaultInstance(), "ServiceSpec"))
        .isEqualTo("invalid character '\\x01' in string literal");
  }

  @Test
  void base64() {
    SecretSpec secret = SecretSpec.getDefaultInstance();
    assertThat(refusal("{\"Data\":\"!!\"}", secret, "SecretSpec")).isEqualTo("illegal base64 data at input byte 0");
    assertThat(refusal("{\"Data\":\"eHg\"}", secret, "SecretSpec")).startsWith("illegal base64 data at input byte ");
    assertThat(read("{\"Data\":\"eHg=\"}", secret).getData().toStringUtf8()).isEqualTo("xx");
    assertThat(read("{\"Data\":\"eA==\"}", secret).getData().toStringUtf8()).isEqualTo("x");
  }

  @Test
  void otherPackagesAreNamed() {
    NetworkCreateRequest network = NetworkCreateRequest.getDefaultInstance();
    assertThat(refusal("{\"Name\":1}", network, "types.NetworkCreateRequest"))
        .isEqualTo("json: cannot unmarshal number into Go struct field NetworkCreateRequest.Name of type string");
    assertThat(refusal("[]", network, "types.NetworkCreateRequest"))
        .isEqualTo("json: cannot unmarshal array into Go value of type types.NetworkCreateRequest");
    assertThat(refusal("{\"IPAM\":{\"Config\":[{\"Subnet\":1}]}}", network, "types.NetworkCreateRequest"))
        .isEqualTo("json: cannot unmarshal number into Go struct field IPAMConfig.IPAM.Config.Subnet of type string");
  }

  @Test
  void keysInAnyCaseUnknownKeysAndNull() {
    ServiceSpec spec = read(
        "{\"NAME\":\"a\",\"unknown\":{\"deep\":[{}]},\"labels\":null,\"mode\":{\"replicated\":null,\"GLOBAL\":{}}}  trailing",
        ServiceSpec.getDefaultInstance());
    assertThat(spec.getName()).isEqualTo("a");
    assertThat(spec.getMode().hasGlobal()).isTrue();
    assertThat(spec.getMode().hasReplicated()).isFalse();
    assertThat(read("{\"Name\":\"exact\",\"name\":null}", ServiceSpec.getDefaultInstance()).getName()).isEqualTo("exact");
    assertThat(read("null", ServiceSpec.getDefaultInstance())).isEqualTo(ServiceSpec.getDefaultInstance());
  }

  @Test
  void sizeAndDepthAreBounded() {
    String deep = "[".repeat(100_000);
    assertThat(refusal("{\"x\":" + deep, ServiceSpec.getDefaultInstance(), "ServiceSpec")).isEqualTo("exceeded max depth");
    String big = "{\"Name\":\"" + "a".repeat(DockerJson.MAX_BODY_BYTES) + "\"}";
    assertThat(refusal(big, ServiceSpec.getDefaultInstance(), "ServiceSpec")).isEqualTo(DockerJson.BODY_TOO_LARGE);
    String digits = "9".repeat(1_000_000);
    assertThat(refusal("{\"UpdateConfig\":{\"Parallelism\":" + digits + "}}", ServiceSpec.getDefaultInstance(), "ServiceSpec"))
        .startsWith("json: cannot unmarshal number 999");
  }

  @Test
  void filters() {
    assertThat(filters("")).isEqualTo(Map.of());
    assertThat(filters("{\"name\":{\"a\":true,\"b\":false}}")).isEqualTo(Map.of("name", Set.of("a", "b")));
    assertThat(filters("{\"name\":[\"a\",\"b\"],\"id\":[]}")).isEqualTo(Map.of("name", Set.of("a", "b"), "id", Set.of()));
    assertThat(filterRefusal("{bad")).isEqualTo("invalid character 'b' looking for beginning of object key string");
    assertThat(filterRefusal("{\"name\"")).isEqualTo("unexpected end of JSON input");
    assertThat(filterRefusal("{} x")).isEqualTo("invalid character 'x' after top-level value");
    assertThat(filterRefusal("{\"name\":5}")).isEqualTo("json: cannot unmarshal number into Go value of type map[string]bool");
    assertThat(filterRefusal("[]")).isEqualTo("json: cannot unmarshal array into Go value of type map[string]map[string]bool");
  }

  private static Map<String, Set<String>> filters(String json) {
    return ((Decoded.Ok<Map<String, Set<String>>>) DockerJson.readFilters(json)).value();
  }

  private static String filterRefusal(String json) {
    return ((Decoded.Refused<Map<String, Set<String>>>) DockerJson.readFilters(json)).message();
  }

  private static <T extends Message> T read(String body, T prototype) {
    return ((Decoded.Ok<T>) DockerJson.read(body.getBytes(StandardCharsets.UTF_8), prototype, prototype.getDescriptorForType().getName()))
        .value();
  }

  private static <T extends Message> String refusal(String body, T prototype, String goType) {
    byte[] bytes = body == null ? new byte[0] : body.getBytes(StandardCharsets.UTF_8);
    return ((Decoded.Refused<T>) DockerJson.read(bytes, prototype, goType)).message();
  }
}
