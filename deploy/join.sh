#!/usr/bin/env bash
# Makes this machine a worker of a cluster: for cloud-init and other scripts that run once per instance, and safe to run again.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: deploy/join.sh [OPTIONS] MANAGER[:PORT]…

Starts Skep on this machine (installing what it needs), joins the cluster of MANAGER (port 2377 unless given) as a worker,
and ends when the node is ready. Run again on a node of that cluster it only makes sure that Skep runs.

The join token, from `docker swarm join-token -q worker` on a manager, is read from the first of these that is there:
  --token-file FILE       a file with nothing else in it
  SKEP_JOIN_TOKEN         an environment variable
  standard input          when it is no terminal
It is never an argument: every user of a machine can read those.

  --availability WORD     active, pause or drain                       (default active)
  --advertise-addr ADDR   address or interface that other nodes use    (default the one that reaches the manager)
  --data-path-addr ADDR   address or interface for overlay traffic     (default the advertised one)
  --listen-addr ADDR      address and port of this node                (default 0.0.0.0:2377)
  --wait SECONDS          how long a manager may stay unreachable      (default 300)
  --data DIR, --api ADDRESS, --engine ADDRESS                          as with ./skep up

Exit codes: 0 ready, 1 refused or not ready in time, 2 wrong usage, 3 this machine is in another cluster.
TEXT
}

say() { printf '%s\n' "$*" >&2; }
step() { say "==> $*"; }
fail() {
  local code=$1
  shift
  say "error: $*"
  exit "$code"
}

# needs_value NAME [VALUE …]: the option has one.
needs_value() { if [ $# -lt 2 ] || [ -z "$2" ]; then fail 2 "$1 needs a value"; fi; }

read_arguments() {
  TOKEN_FILE='' WAIT=300 AVAILABILITY=active ADVERTISE='' DATA_PATH='' LISTEN=0.0.0.0:2377
  MANAGERS=() INSTANCE=() API=''
  while [ $# -gt 0 ]; do
    case $1 in
      -h | --help) usage && exit 0 ;;
      --token | --token=*) fail 2 "a token on the command line can be read by every user of this machine; use --token-file or SKEP_JOIN_TOKEN" ;;
      --*=*)
        set -- "${1%%=*}" "${1#*=}" "${@:2}"
        continue
        ;;
      --token-file | --availability | --advertise-addr | --data-path-addr | --listen-addr | --wait | --data | --engine | --api)
        needs_value "$@"
        read_option "$1" "$2"
        shift
        ;;
      -*) fail 2 "unknown option '$1'; see --help" ;;
      *:*) MANAGERS+=("$1") ;;
      *) MANAGERS+=("$1:2377") ;;
    esac
    shift
  done
  [ ${#MANAGERS[@]} -gt 0 ] || fail 2 "which manager? for example: deploy/join.sh --token-file /root/token 10.0.0.1:2377"
  [[ $WAIT =~ ^[0-9]{1,6}$ ]] || fail 2 "--wait takes seconds, not '$WAIT'"
  [[ "$AVAILABILITY$ADVERTISE$DATA_PATH$LISTEN${MANAGERS[*]}" =~ ^[][A-Za-z0-9._:%\ -]*$ ]] || fail 2 "an address holds letters, digits and .:%[]- only"
}

read_option() {
  case $1 in
    --token-file) TOKEN_FILE=$2 ;;
    --availability) AVAILABILITY=$2 ;;
    --advertise-addr) ADVERTISE=$2 ;;
    --data-path-addr) DATA_PATH=$2 ;;
    --listen-addr) LISTEN=$2 ;;
    --wait) WAIT=$2 ;;
    --data | --engine) INSTANCE+=("$1" "$2") ;;
    --api)
      INSTANCE+=("$1" "$2")
      API=$2
      ;;
  esac
}

read_token() {
  if [ -n "$TOKEN_FILE" ]; then
    [ -r "$TOKEN_FILE" ] || fail 2 "cannot read the token file $TOKEN_FILE"
    TOKEN=$(<"$TOKEN_FILE")
  elif [ -n "${SKEP_JOIN_TOKEN:-}" ]; then
    TOKEN=$SKEP_JOIN_TOKEN
  elif [ ! -t 0 ]; then
    TOKEN=$(head -c 4096)
  else
    fail 2 "no join token: use --token-file, SKEP_JOIN_TOKEN or standard input"
  fi
  unset SKEP_JOIN_TOKEN
  TOKEN=${TOKEN//[$' \t\r\n']/}
  [[ $TOKEN =~ ^SWMTKN-1-[0-9a-z]{50}-[0-9a-z]{25}$ ]] || fail 2 "that is no join token: it looks like SWMTKN-1-…, and 'docker swarm join-token -q worker' on a manager prints it"
}

# Which unix socket the API has; the launcher says it, also of an instance with other folders.
find_api() {
  local address=$API
  [ -n "$address" ] || address=$("$ROOT/skep" status "${INSTANCE[@]+"${INSTANCE[@]}"}" | sed -n 's/^ *API *\(unix:.*\)$/\1/p' | head -n 1) || true
  [[ $address == unix://* ]] || fail 1 "the API of this machine has no unix socket"
  SOCKET=${address#unix://}
}

api() {
  local path=$1
  shift
  curl -sS --max-time 60 --unix-socket "$SOCKET" "http://skep$path" "$@"
}

# One word of /info's part about the cluster.
info() { api /info | grep -o '"Swarm":{.*' | grep -o "\"$1\":[^,}]*" | head -n 1 | cut -d: -f2 | tr -d '"'; }

quoted() { printf '"%s"' "$1"; }

# The request holds the token, so it goes through a pipe and not through an argument.
ask_to_join() {
  local remotes
  remotes=$(printf '"%s",' "${MANAGERS[@]}")
  printf '{"ListenAddr":%s,"AdvertiseAddr":%s,"DataPathAddr":%s,"RemoteAddrs":[%s],"JoinToken":%s,"Availability":%s}' \
    "$(quoted "$LISTEN")" "$(quoted "$ADVERTISE")" "$(quoted "$DATA_PATH")" "${remotes%,}" "$(quoted "$TOKEN")" "$(quoted "$AVAILABILITY")" |
    api /swarm/join -X POST -H 'Content-Type: application/json' -w '\n%{http_code}' --data-binary @-
}

# Tries again while no manager can be reached: instances of a cluster often start together. Anything else is an answer.
join_cluster() {
  local answer delay=1
  while :; do
    answer=$(ask_to_join)
    case $answer in
      *$'\n'200) return ;;
      *"Timeout was reached before node joined"*) return ;; # it goes on by itself
      *"already part of a swarm"*) return ;;
      *"code = Unavailable"* | *"code = DeadlineExceeded"* | *"code = ResourceExhausted"*) ;;
      *) fail 1 "$(message "${answer%$'\n'*}")" ;;
    esac
    [ $((SECONDS + delay)) -lt "$WAIT" ] || fail 1 "no manager could be reached within $WAIT s: $(message "${answer%$'\n'*}")"
    say "    $(message "${answer%$'\n'*}"); trying again in $delay s"
    sleep "$delay"
    delay=$((delay < 15 ? delay * 2 : 15))
  done
}

message() { sed -e 's/^{"message":"//' -e 's/"}$//' -e 's/\\"/"/g' <<<"$1"; }

await_ready() {
  until [ "$(info LocalNodeState)" = active ] && [ -z "$(info Error)" ]; do
    [ $SECONDS -lt "$WAIT" ] || fail 1 "the node joined and is not ready after $WAIT s: $(info Error)"
    sleep 0.2
  done
}

# A node of this cluster already? Its managers are known by the addresses that they advertise.
already_member() {
  local state known manager host address
  state=$(info LocalNodeState)
  [ "$state" != inactive ] || return 1
  if [ "$(info ControlAvailable)" = true ]; then
    fail 3 "this machine is the manager of a cluster. 'docker swarm leave --force' would end that cluster."
  fi
  known=$(api /info | grep -o '"RemoteManagers":\[[^]]*\]' | grep -o '"Addr":"[^"]*"' | cut -d'"' -f4) || known=''
  for manager in "${MANAGERS[@]}"; do
    host=${manager%:*}
    for address in "$host" $(getent ahostsv4 "$host" | cut -d' ' -f1 | sort -u); do
      if grep -qxF "$address:${manager##*:}" <<<"$known"; then return 0; fi
    done
  done
  fail 3 "this machine is a node of another cluster, with managers $(tr '\n' ' ' <<<"$known"). To move it: docker swarm leave, then this again."
}

main() {
  read_arguments "$@"
  read_token
  [ "$(id -u)" = 0 ] || fail 2 "this needs root"
  ROOT=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
  "$ROOT/skep" up --no-init "${INSTANCE[@]+"${INSTANCE[@]}"}" </dev/null >&2
  SECONDS=0 # building and installing do not count
  find_api
  if already_member; then
    step "already a node of this cluster: $(info NodeID)"
  else
    step "joining ${MANAGERS[*]}"
    join_cluster
  fi
  await_ready
  step "ready: node $(info NodeID), address $(info NodeAddr)"
}

main "$@"
