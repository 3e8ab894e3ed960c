package dev.skep.backend.kafka;

import dev.skep.backend.DeniedException;
import dev.skep.backend.StoreException;
import dev.skep.backend.Users;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialAlteration;
import org.apache.kafka.clients.admin.UserScramCredentialDeletion;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AccessControlEntryFilter;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.errors.ResourceNotFoundException;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.Resource;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourcePatternFilter;
import org.apache.kafka.common.resource.ResourceType;

/** Users of the brokers (SCRAM) and what they may do with the log's topic. Asked as somebody who may alter the cluster. */
public final class KafkaUsers implements Users {
  private static final int ITERATIONS = 4096; // passwords are random: guessing them is hopeless without more
  private static final String ANYWHERE = "*";

  private final KafkaConfig config;
  private final ScramMechanism mechanism;
  private final Admin admin;

  private KafkaUsers(KafkaConfig config, ScramMechanism mechanism) {
    this.config = config;
    this.mechanism = mechanism;
    this.admin = Clients.admin(config);
  }

  public static KafkaUsers open(KafkaConfig config) {
    ScramMechanism mechanism = ScramMechanism.fromMechanismName(config.mechanism());
    if (mechanism == ScramMechanism.UNKNOWN) {
      throw new DeniedException("users of " + config.place() + " with mechanism " + config.mechanism() + " stand in the brokers' own files: make them"
          + " there, or use SCRAM-SHA-512", null);
    }
    try {
      return new KafkaUsers(config, mechanism);
    } catch (KafkaException e) {
      throw Plight.of("cannot administer users", config, e);
    }
  }

  /** Warnings about the topic are the relay's to give. */
  @Override
  public void prepare() {
    asked("cannot make the topic", () -> Topic.ensure(admin, config));
    asked("cannot see who may use the log", () -> Topic.await(admin.describeAcls(filter(ANYWHERE)).values()));
  }

  @Override
  public void grant(String name, String password, Rights rights) {
    remove(name);
    asked("cannot say what user " + name + " may do", () -> Topic.await(admin.createAcls(allowed(name, rights)).all()));
    password(name, password);
  }

  private List<AclBinding> allowed(String name, Rights rights) {
    List<AclBinding> all = new ArrayList<>();
    ResourcePattern topic = new ResourcePattern(ResourceType.TOPIC, config.topic(), PatternType.LITERAL);
    ResourcePattern cluster = new ResourcePattern(ResourceType.CLUSTER, Resource.CLUSTER_NAME, PatternType.LITERAL);
    if (rights.reads() || rights.appends()) {
      all.addAll(allowed(name, topic, AclOperation.READ, AclOperation.DESCRIBE));
    }
    if (rights.appends()) {
      ResourcePattern transactions = new ResourcePattern(ResourceType.TRANSACTIONAL_ID, Clients.transactionalId(config), PatternType.LITERAL);
      all.addAll(allowed(name, topic, AclOperation.WRITE, AclOperation.CREATE, AclOperation.DESCRIBE_CONFIGS));
      all.addAll(allowed(name, transactions, AclOperation.WRITE, AclOperation.DESCRIBE));
      all.addAll(allowed(name, cluster, AclOperation.DESCRIBE_CONFIGS));
    }
    if (rights.administers()) {
      all.addAll(allowed(name, cluster, AclOperation.ALTER, AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS));
      all.addAll(allowed(name, topic, AclOperation.CREATE, AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS));
    }
    return all;
  }

  private static List<AclBinding> allowed(String name, ResourcePattern what, AclOperation... operations) {
    List<AclBinding> all = new ArrayList<>();
    for (AclOperation operation : operations) {
      all.add(new AclBinding(what, new AccessControlEntry(principal(name), ANYWHERE, operation, AclPermissionType.ALLOW)));
    }
    return all;
  }

  private static String principal(String name) {
    return "User:" + name;
  }

  private static AclBindingFilter filter(String name) {
    return new AclBindingFilter(ResourcePatternFilter.ANY,
        new AccessControlEntryFilter(name.equals(ANYWHERE) ? null : principal(name), null, AclOperation.ANY, AclPermissionType.ANY));
  }

  @Override
  public void password(String name, String password) {
    alter("cannot give user " + name + " a password",
        new UserScramCredentialUpsertion(name, new ScramCredentialInfo(mechanism, ITERATIONS), password));
  }

  /** First the rights: connections that are open keep their user. */
  @Override
  public void remove(String name) {
    asked("cannot take rights from user " + name, () -> Topic.await(admin.deleteAcls(List.of(filter(name))).all()));
    try {
      alter("cannot remove user " + name, new UserScramCredentialDeletion(name, mechanism));
    } catch (StoreException e) {
      if (!(e.getCause() instanceof ResourceNotFoundException)) {
        throw e;
      }
    }
  }

  private void alter(String what, UserScramCredentialAlteration change) {
    asked(what, () -> Topic.await(admin.alterUserScramCredentials(List.of(change)).all()));
  }

  @Override
  public List<String> names(String prefix) {
    Map<String, ?> all = asked("cannot list users", () -> Topic.await(admin.describeUserScramCredentials().all()));
    return all.keySet().stream().filter(name -> name.startsWith(prefix)).sorted().toList();
  }

  private <T> T asked(String what, Supplier<T> question) {
    try {
      return question.get();
    } catch (KafkaException e) {
      throw Plight.of(what, config, e);
    }
  }

  @Override
  public void close() {
    admin.close(Duration.ZERO);
  }
}
