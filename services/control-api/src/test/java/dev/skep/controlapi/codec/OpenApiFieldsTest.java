package dev.skep.controlapi.codec;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import dev.skep.api.v1.Config;
import dev.skep.api.v1.InitRequest;
import dev.skep.api.v1.JoinRequest;
import dev.skep.api.v1.Network;
import dev.skep.api.v1.NetworkCreateRequest;
import dev.skep.api.v1.Node;
import dev.skep.api.v1.Secret;
import dev.skep.api.v1.Service;
import dev.skep.api.v1.Swarm;
import dev.skep.api.v1.SwarmInfo;
import dev.skep.api.v1.Task;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Every field that the API's own description names is a field of the model, with a type that prints as the described one. */
class OpenApiFieldsTest {
  private static final Map<String, Descriptor> ROOTS =
      Map.ofEntries(
          Map.entry("Service", Service.getDescriptor()),
          Map.entry("Task", Task.getDescriptor()),
          Map.entry("Node", Node.getDescriptor()),
          Map.entry("Swarm", Swarm.getDescriptor()),
          Map.entry("SwarmInfo", SwarmInfo.getDescriptor()),
          Map.entry("Secret", Secret.getDescriptor()),
          Map.entry("Config", Config.getDescriptor()),
          Map.entry("Network", Network.getDescriptor()),
          Map.entry("InitRequest", InitRequest.getDescriptor()),
          Map.entry("JoinRequest", JoinRequest.getDescriptor()),
          Map.entry("NetworkCreateRequest", NetworkCreateRequest.getDescriptor()));

  /** Path prefixes that the model leaves out, and why. A prefix that no line needs any more fails the test. */
  private static final Map<String, String> LEFT_OUT =
      Map.ofEntries(
          Map.entry("Service.Spec.TaskTemplate.PluginSpec", "plugins as services are refused by their runtime"),
          Map.entry("Service.Spec.TaskTemplate.NetworkAttachmentSpec", "containers attached to overlays are no tasks here"),
          Map.entry("Service.Spec.TaskTemplate.ContainerSpec.Mounts.ImageOptions", "mounts of images are refused by their type"),
          Map.entry("Service.Spec.TaskTemplate.ContainerSpec.Mounts.TmpfsOptions.Options", "API 1.46; 1.44 is spoken"),
          Map.entry("Service.Spec.TaskTemplate.Resources.SwapBytes", "API 1.52; 1.44 is spoken"),
          Map.entry("Service.Spec.TaskTemplate.Resources.MemorySwappiness", "API 1.52; 1.44 is spoken"),
          Map.entry("Task.AssignedGenericResources", "the description's name; the engine answers GenericResources"),
          Map.entry("Task.NetworksAttachments.Network",
              "the description has the wrong shape here; the engine answers another, see the recordings"),
          Map.entry("Network.EnableIPv4", "API 1.48; 1.44 is spoken"),
          Map.entry("Network.Status", "API 1.52; 1.44 is spoken"),
          Map.entry("NetworkCreateRequest.EnableIPv4", "API 1.48; 1.44 is spoken"),
          Map.entry("NetworkCreateRequest.CheckDuplicate", "duplicates are refused whatever it says; gone in API 1.44"));

  @Test
  void theModelHasEveryFieldOfTheDescription() throws IOException {
    List<String> wrong = new ArrayList<>();
    TreeSet<String> unused = new TreeSet<>(LEFT_OUT.keySet());
    for (String line : lines()) {
      String[] columns = line.split("\t");
      String path = columns[0] + "." + columns[1];
      String leftOut = LEFT_OUT.keySet().stream().filter(prefix -> path.equals(prefix) || path.startsWith(prefix + ".")).findFirst()
          .orElse(null);
      if (leftOut != null) {
        unused.remove(leftOut);
        continue;
      }
      FieldDescriptor field = find(ROOTS.get(columns[0]), columns[1].split("\\."));
      if (field == null) {
        wrong.add(path + ": missing");
      } else if (!fits(field, columns[2])) {
        wrong.add(path + ": " + columns[2] + " is " + field.getType() + (field.isRepeated() ? " repeated" : ""));
      }
    }
    assertThat(wrong).isEmpty();
    assertThat(unused).isEmpty();
  }

  private static FieldDescriptor find(Descriptor root, String[] path) {
    Descriptor type = root;
    FieldDescriptor field = null;
    for (String key : path) {
      if (type == null) {
        return null;
      }
      field = type.getFields().stream().filter(one -> one.getJsonName().equalsIgnoreCase(key)).findFirst().orElse(null);
      if (field == null) {
        return null;
      }
      FieldDescriptor value = field.isMapField() ? field.getMessageType().findFieldByNumber(2) : field;
      type = value.getJavaType() == FieldDescriptor.JavaType.MESSAGE ? value.getMessageType() : null;
    }
    return field;
  }

  private static boolean fits(FieldDescriptor field, String described) {
    if (described.startsWith("map of ")) {
      return field.isMapField() && one(field.getMessageType().findFieldByNumber(2), described.substring("map of ".length()));
    }
    if (described.startsWith("array of ")) {
      return field.isRepeated() && !field.isMapField() && one(field, described.substring("array of ".length()));
    }
    return !field.isRepeated() && one(field, described);
  }

  private static boolean one(FieldDescriptor field, String described) {
    return switch (field.getJavaType()) {
      case STRING, BYTE_STRING -> described.equals("string");
      case BOOLEAN -> described.equals("boolean");
      case INT, LONG -> described.equals("integer");
      case FLOAT, DOUBLE -> described.equals("number");
      case MESSAGE -> described.equals(MessageWriter.isTime(field) ? "string" : "object");
      case ENUM -> false;
    };
  }

  private static List<String> lines() throws IOException {
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(OpenApiFieldsTest.class.getResourceAsStream("/openapi-fields.tsv"), StandardCharsets.UTF_8))) {
      return reader.lines().filter(line -> !line.startsWith("#")).toList();
    }
  }
}
