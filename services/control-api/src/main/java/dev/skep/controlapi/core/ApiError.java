package dev.skep.controlapi.core;

import dev.skep.state.EmbeddedCluster;
import java.util.Arrays;

/**
 * A refusal, in Docker's words. What swarm's manager refuses carries {@code rpc error: code = X desc = } before its text,
 * also over HTTP, and scripts match on it; what the daemon itself refuses does not.
 */
public record ApiError(int httpStatus, Code grpcCode, String message) {
  /** The gRPC codes that are used, with the HTTP status that Docker's daemon makes of each, under their Go names. */
  public enum Code {
    UNKNOWN("Unknown", 2, 500),
    INVALID_ARGUMENT("InvalidArgument", 3, 400),
    DEADLINE_EXCEEDED("DeadlineExceeded", 4, 500),
    NOT_FOUND("NotFound", 5, 404),
    ALREADY_EXISTS("AlreadyExists", 6, 409),
    PERMISSION_DENIED("PermissionDenied", 7, 403),
    RESOURCE_EXHAUSTED("ResourceExhausted", 8, 500),
    FAILED_PRECONDITION("FailedPrecondition", 9, 400),
    UNIMPLEMENTED("Unimplemented", 12, 501),
    INTERNAL("Internal", 13, 500),
    UNAVAILABLE("Unavailable", 14, 503),
    UNAUTHENTICATED("Unauthenticated", 16, 401);

    private final String goName;
    private final int number;
    private final int httpStatus;

    Code(String goName, int number, int httpStatus) {
      this.goName = goName;
      this.number = number;
      this.httpStatus = httpStatus;
    }

    /** The code's number on the wire of gRPC. */
    public int number() {
      return number;
    }

    public int httpStatus() {
      return httpStatus;
    }
  }

  /** The code with this number on the wire of gRPC; what no answer of ours uses counts as unknown. */
  public static Code code(int number) {
    return Arrays.stream(Code.values()).filter(code -> code.number == number).findFirst().orElse(Code.UNKNOWN);
  }

  private static final String NOT_A_MANAGER =
      "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again.";

  /** A refusal of swarm's manager: with the prefix of its code. */
  public static ApiError rpc(Code code, String text) {
    return new ApiError(code.httpStatus(), code, "rpc error: code = " + code.goName + " desc = " + text);
  }

  /** The same, with a sentence more. */
  public ApiError and(String sentence) {
    return new ApiError(httpStatus, grpcCode, message + ". " + sentence);
  }

  /** A refusal of the daemon: the bare text. */
  public static ApiError plain(Code code, String text) {
    return new ApiError(code.httpStatus(), code, text);
  }

  public static ApiError invalidArgument(String text) {
    return rpc(Code.INVALID_ARGUMENT, text);
  }

  public static ApiError failedPrecondition(String text) {
    return rpc(Code.FAILED_PRECONDITION, text);
  }

  public static ApiError alreadyExists(String text) {
    return rpc(Code.ALREADY_EXISTS, text);
  }

  /** 400 without a prefix: a body that is no JSON, a word that is none of an enumeration's. */
  public static ApiError badRequest(String text) {
    return plain(Code.INVALID_ARGUMENT, text);
  }

  /** 500 without a prefix; Docker has it where a client could not have known better. */
  public static ApiError internal(String text) {
    return plain(Code.INTERNAL, text);
  }

  public static ApiError notFound(ObjectKind kind, String reference) {
    return plain(Code.NOT_FOUND, kind.word() + " " + reference + " not found");
  }

  public static ApiError ambiguous(ObjectKind kind, String reference, int matches) {
    return badRequest(kind.word() + " " + reference + " is ambiguous (" + matches + " matches found)");
  }

  /** Networks say what was ambiguous about the reference: {@code name} or {@code ID prefix}. */
  public static ApiError ambiguousNetwork(String reference, int matches, String basis) {
    return badRequest("network " + reference + " is ambiguous (" + matches + " matches found based on " + basis + ")");
  }

  public static ApiError serviceNameTaken(String name) {
    return alreadyExists("name conflicts with an existing object: service " + name + " already exists");
  }

  public static ApiError networkNameTaken(String name) {
    return plain(Code.ALREADY_EXISTS, "network with name " + name + " already exists");
  }

  public static ApiError ingressTaken(String ingressId) {
    return alreadyExists("ingress network (" + ingressId + ") is already present");
  }

  public static ApiError networkInUse(String networkId, String serviceId) {
    return failedPrecondition("network " + networkId + " is in use by service " + serviceId);
  }

  public static ApiError ingressInUse(String serviceId) {
    return failedPrecondition("ingress network cannot be removed because service " + serviceId + " depends on it");
  }

  public static ApiError predefinedNetwork(String name) {
    return plain(Code.PERMISSION_DENIED, name + " is a pre-defined network and cannot be removed");
  }

  public static ApiError noSuchNetworkDriver(String driver) {
    return plain(Code.NOT_FOUND, "plugin \"" + driver + "\" not found");
  }

  /** @param how {@code an ingress port} or {@code a host-published port} */
  public static ApiError portInUse(int port, String serviceName, String serviceId, String how) {
    return invalidArgument("port '" + port + "' is already in use by service '" + serviceName + "' (" + serviceId + ") as " + how);
  }

  /** The object changed since the client read it. Docker answers 500, and clients know it by its text. */
  public static ApiError outOfSequence() {
    return rpc(Code.UNKNOWN, "update out of sequence");
  }

  /** @param noun {@code service}, {@code node} or {@code swarm} */
  public static ApiError badVersion(String noun, String text, boolean outOfRange) {
    String reason = outOfRange ? "value out of range" : "invalid syntax";
    return badRequest("invalid " + noun + " version '" + text + "': strconv.ParseUint: parsing " + GoText.quoted(text) + ": " + reason);
  }

  public static ApiError renaming() {
    return rpc(Code.UNIMPLEMENTED, "renaming services is not supported");
  }

  public static ApiError modeChange() {
    return rpc(Code.UNIMPLEMENTED, "service mode change is not allowed");
  }

  public static ApiError noPreviousSpec(String serviceId) {
    return failedPrecondition("service " + serviceId + " does not have a previous spec");
  }

  public static ApiError unsupportedRegistryAuthFrom() {
    return internal("unsupported registryAuthFrom value");
  }

  public static ApiError unrecognizedRollback(String option) {
    return internal("unrecognized rollback option " + option);
  }

  private static final String A_WORKER =
      "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. Please run this command on a"
          + " manager node or promote the current node to a manager.";

  /** On a worker; every call of a manager's answers this. */
  public static ApiError onWorker() {
    return plain(Code.UNAVAILABLE, A_WORKER);
  }

  /** On a worker, POST /networks/create of an overlay. */
  public static ApiError noOverlayFromWorker() {
    return plain(
        Code.PERMISSION_DENIED,
        "Cannot create a multi-host network from a worker node. Please create the network from a manager node.");
  }

  /** Before init; every call of a manager's answers this. */
  public static ApiError notInSwarm() {
    return plain(Code.UNAVAILABLE, NOT_A_MANAGER);
  }

  /** Before init, POST /networks/create of an overlay. */
  public static ApiError noOverlayOutsideSwarm() {
    return internal(NOT_A_MANAGER);
  }

  public static ApiError alreadyInSwarm() {
    return plain(
        Code.UNAVAILABLE, "This node is already part of a swarm. Use \"docker swarm leave\" to leave this swarm and join another one.");
  }

  /** swarm/join with what is no token. */
  public static ApiError badJoinToken() {
    return internal("invalid join token");
  }

  /** swarm/join: who answered is not the cluster that the token names. */
  public static ApiError wrongRoot(String expectedHex) {
    return internal("remote CA does not match fingerprint. Expected: " + expectedHex);
  }

  /** swarm/join: the node belongs to the cluster and its agent has not come through to a manager yet. */
  public static ApiError joinContinues() {
    return plain(
        Code.UNAVAILABLE,
        "Timeout was reached before node joined. The attempt to join the swarm will continue in the background. Use the \"docker info\""
            + " command to see the current swarm status of your node.");
  }

  /** swarm/leave before init. */
  public static ApiError notPartOfSwarm() {
    return plain(Code.UNAVAILABLE, "This node is not part of a swarm");
  }

  /** swarm/leave without force on the only manager; the text ends with a blank. */
  public static ApiError lastManager() {
    return plain(
        Code.UNAVAILABLE,
        "You are attempting to leave the swarm on a node that is participating as a manager. Removing the last manager erases all current"
            + " state of the swarm. Use `--force` to ignore this message. ");
  }

  public static ApiError demoteLastManager() {
    return failedPrecondition("attempting to demote the last manager of the swarm");
  }

  /** The others could not take over. */
  public static ApiError demoteLastReachable() {
    return failedPrecondition("attempting to demote the last manager of the swarm that answers: the other managers are down, not up yet, or could not become one");
  }

  /** Promoting a node of an embedded cluster. */
  public static ApiError secondManager() {
    return failedPrecondition(EmbeddedCluster.ONE_MANAGER);
  }

  /** Promoting a node on whose host nothing can start control services. */
  public static ApiError cannotManage(String nodeId, String why) {
    return failedPrecondition("node " + nodeId + " cannot become a manager: " + why);
  }

  /** swarm/leave without force where other managers go on. */
  public static ApiError managerLeaves() {
    return plain(
        Code.UNAVAILABLE,
        "You are attempting to leave the swarm on a node that is participating as a manager. Demote it first (docker node demote), or use"
            + " `--force` to suppress this message.");
  }

  /** swarm/leave in a container: who this host is belongs to all its services, and none of them may change it. */
  public static ApiError identityOfOthers() {
    return failedPrecondition("this host's services run each by itself, and the control-api only reads who the host is: it cannot leave for"
        + " all of them. Remove them with what started them (docker compose down --volumes); where other managers go on, demote this node"
        + " there first");
  }

  /** swarm/init on a store that others use. */
  public static ApiError storeTaken(String store) {
    return failedPrecondition("the store " + store + " holds a cluster already: join it with a manager's token"
        + " (docker swarm join-token manager), or give this host another store");
  }

  public static ApiError removeManager(String nodeId) {
    return failedPrecondition(
        "node " + nodeId + " is a cluster manager and is a member of the raft cluster. It must be demoted to worker before removal");
  }

  public static ApiError nodeNotDown(String nodeId) {
    return failedPrecondition("node " + nodeId + " is not down and can't be removed");
  }

  public static ApiError pageNotFound() {
    return plain(Code.NOT_FOUND, "page not found");
  }

  public static ApiError badTail() {
    return internal("tail value must be a positive integer or \"all\"");
  }

  public static ApiError noStream() {
    return internal("Bad parameters: you must choose at least one stream");
  }

  /**
   * What this version does not do: refused by its name, with the way out.
   *
   * @param what the option or call, as the user knows it
   * @param wayOut what to do instead, one sentence
   */
  public static ApiError notBuilt(String what, String wayOut) {
    return rpc(Code.UNIMPLEMENTED, what + " is not built yet in this version of Skep: " + wayOut);
  }
}
