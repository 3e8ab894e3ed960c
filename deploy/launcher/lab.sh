# lab: several hosts on this machine, made of namespaces. For users: deploy/lab/README.md.

LAB_REGISTRY=/run/skep-lab # NAME -> its folder, for every lab that is up on this machine
export -n SKEP_LAB 2>/dev/null || true # skepd takes every SKEP_… for a setting of its own

lab_usage() {
  cat <<'TEXT'
usage: ./skep lab COMMAND [--name NAME] [OPTIONS]

Several hosts on this machine: each has its own network, processes, host name, Docker engine, skepd and edge.

  up --nodes N [--underlay CIDR] [--dir DIR]   make the hosts node1 … nodeN and one cluster of them
       --managers M   the first M are managers, on an etcd of M members, one on each, and a Kafka on node1 (default 1: none)
       --secure       that etcd and Kafka on TLS, with users: every manager has its own
       --no-join      initialise node1 only; the others stay outside of the cluster
       --no-init      no cluster at all
       --native       the engines' own swarm mode and no Skep, to compare with
  exec I CMD …        run a command on host I (I may be 'outside': a neighbour of all hosts)
  load FILE …         load images, as 'docker save' writes them, into every engine
  status              the hosts, what runs on them, and their DOCKER_HOST
  cut I, heal I       pull and plug the host's network cable
  kill I              the host loses its power: every process, containers too
  stop I              the host shuts down in order
  start I …           the hosts boot again, or start what does not run
  freeze I, thaw I    stop skepd with SIGSTOP, let it go on
  engine kill I       only the Docker engine: kill, stop, start, freeze or thaw it
  etcd kill I         only the member of etcd; kafka kill 1: only Kafka; the same five
  down                remove the lab with everything in it

  --name NAME         which lab (default: $SKEP_LAB, or 'lab'); several fit on one machine
  --underlay CIDR     the hosts' network (default 192.168.88.0/24); hosts of different labs never meet
  --dir DIR           where labs keep their files (default /var/lib/skep-lab)
TEXT
}

skep_lab() {
  local verb=help
  LAB_NAME=${SKEP_LAB:-lab}
  LAB_BASE=/var/lib/skep-lab
  lab_options yes "$@"
  [ ${#REST[@]} = 0 ] || verb=${REST[0]}
  set -- "${REST[@]:1}"
  case $verb in
    help | -h | --help) lab_usage && return ;;
    up | status | down | load) lab_options no "$@" ;;
    engine | etcd | kafka) lab_options no "$@" ;;
    exec | cut | heal | kill | stop | start | freeze | thaw) lab_options yes "$@" ;;
    *)
      lab_usage >&2
      die "lab: there is no command '$verb'"
      ;;
  esac
  need_root "lab $verb"
  [[ $LAB_NAME =~ ^[a-z0-9][a-z0-9-]{0,19}$ ]] || die "lab: a name is made of at most 20 small letters, digits and '-', not '$LAB_NAME'"
  [ "$verb" = up ] || lab_find "$verb"
  "lab_$verb" "${REST[@]+"${REST[@]}"}"
}

# lab_options LEADING ARGS…: takes --name and --dir out (LEADING yes: only those before the first other word), rest in REST.
lab_options() {
  local leading=$1
  shift
  REST=()
  while [ $# -gt 0 ]; do
    case $1 in
      --name | --dir)
        [ $# -ge 2 ] || die "lab: $1 needs a value"
        lab_option "$1" "$2"
        shift
        ;;
      --name=* | --dir=*) lab_option "${1%%=*}" "${1#*=}" ;;
      *)
        REST+=("$1")
        if [ "$leading" = yes ]; then
          shift
          REST+=("$@")
          return
        fi
        ;;
    esac
    shift
  done
}

lab_option() {
  case $1 in
    --name) LAB_NAME=$2 ;;
    --dir) LAB_BASE=$(readlink -m "$2") ;;
  esac
}

# lab_find VERB: where the lab of this name is, and how it was made.
lab_find() {
  local names
  LAB=$(readlink "$LAB_REGISTRY/$LAB_NAME" || true)
  if [ "$1" = down ] && [ -n "$LAB" ] && [ ! -e "$LAB" ]; then
    LAB_SWITCH=skep-lab-$LAB_NAME # somebody removed its folder; hosts and switch are left
    return
  fi
  [ -n "$LAB" ] || LAB=$LAB_BASE/$LAB_NAME
  if [ ! -f "$LAB/settings" ]; then
    names=$(find "$LAB_REGISTRY" -type l -printf '%f ' 2>/dev/null || true)
    die "there is no lab '$LAB_NAME'${names:+ (there is: ${names% })}. Make one:  ./skep lab up --name $LAB_NAME --nodes 3"
  fi
  lab_settings
}

lab_settings() {
  LAB_NODES=$(sed -n 's/^nodes=//p' "$LAB/settings")
  LAB_UNDERLAY=$(sed -n 's/^underlay=//p' "$LAB/settings")
  LAB_NATIVE=$(sed -n 's/^native=//p' "$LAB/settings")
  LAB_MANAGERS=$(sed -n 's/^managers=//p' "$LAB/settings")
  LAB_MANAGERS=${LAB_MANAGERS:-1}
  LAB_ETCD=$(sed -n 's/^etcd=//p' "$LAB/settings")
  LAB_SECURE=$(sed -n 's/^secure=//p' "$LAB/settings")
  LAB_SWITCH=skep-lab-$LAB_NAME
}

# lab_node I: sets NODE, NODE_NAME and NODE_ADDRESS, or says that there is no such host.
lab_node() {
  local number=${1:-}
  number=${number#node}
  [ -n "$number" ] || die "lab: which host? 1 to $LAB_NODES"
  if ! [[ $number =~ ^[1-9][0-9]?$ ]] || [ "$number" -gt "$LAB_NODES" ]; then
    die "lab '$LAB_NAME' has the hosts 1 to $LAB_NODES, and no '$1'"
  fi
  NODE_NAME=node$number
  NODE=$LAB/$NODE_NAME
  NODE_ADDRESS=$(lab_address "$number")
}

# lab_address N: the Nth address of the underlay; 0 is the outside's, the last one.
lab_address() {
  local a b c d base size number=$1
  IFS=. read -r a b c d <<<"${LAB_UNDERLAY%/*}"
  size=$((1 << (32 - ${LAB_UNDERLAY#*/})))
  base=$((((a << 24) + (b << 16) + (c << 8) + d) & ~(size - 1)))
  [ "$number" != 0 ] || number=$((size - 2))
  base=$((base + number))
  echo "$((base >> 24 & 255)).$((base >> 16 & 255)).$((base >> 8 & 255)).$((base & 255))"
}

# lab_mac N: the hardware address that goes with it. A card keeps its own: of a host that boots with another one, and of a
# bridge that takes that of a port, the others know the old one for up to a minute, and what they send there is lost.
lab_mac() {
  local a b c d
  IFS=. read -r a b c d <<<"$(lab_address "$1")"
  printf '02:00:%02x:%02x:%02x:%02x\n' "$a" "$b" "$c" "$d"
}

lab_socket() { if [ "$LAB_NATIVE" = yes ]; then echo "$NODE/run/docker.sock"; else echo "$NODE/run/skep/docker.sock"; fi; }

# The process 1 of the host that lives in folder $1, seen from here; fails when the host is off.
lab_init() {
  local pid
  pid=$(cat "$1/init.pid" 2>/dev/null) || return 1
  [ -n "$pid" ] && grep -qzxF -- "$1" "/proc/$pid/cmdline" 2>/dev/null && echo "$pid"
}

lab_running() { lab_init "$NODE" >/dev/null || die "$NODE_NAME is off. Switch it on:  ./skep lab start ${NODE_NAME#node}"; }

# lab_enter CMD…: in the namespaces of the host NODE.
lab_enter() {
  local pid
  pid=$(lab_init "$NODE") || die "$NODE_NAME is off. Switch it on:  ./skep lab start ${NODE_NAME#node}"
  # shellcheck disable=SC2016
  nsenter --target "$pid" --mount --uts --ipc --net --pid -- bash -c 'cd "$0" 2>/dev/null || cd /; exec "$@"' "$PWD" "$@"
}

lab_exec() {
  local where=${1:-}
  [ $# -ge 2 ] || die "lab exec I CMD …: which host, and what shall it run?"
  shift
  if [ "$where" = outside ]; then
    exec nsenter --net="/run/netns/$LAB_SWITCH" -- "$@"
  fi
  lab_node "$where"
  local socket=/run/skep/docker.sock
  [ "$LAB_NATIVE" = no ] || socket=/run/docker.sock
  DOCKER_HOST=unix://$socket HOSTNAME=$NODE_NAME PATH=$HERE:$PATH lab_enter "$@"
}

lab_load() {
  local number file jobs=() failed=no
  [ $# -ge 1 ] || die "lab load FILE …: files written by 'docker save'"
  for file in "$@"; do [ -r "$file" ] || die "no such file: $file"; done
  for number in $(seq "$LAB_NODES"); do
    lab_node "$number"
    lab_init "$NODE" >/dev/null || { say "    $NODE_NAME is off: not loaded there" && continue; }
    (for file in "$@"; do docker -H "unix://$NODE/run/docker.sock" load -q -i "$file" | sed "s/^/$NODE_NAME  /"; done) &
    jobs+=($!)
  done
  for number in "${jobs[@]}"; do wait "$number" || failed=yes; done
  [ $failed = no ] || die "lab load: not every engine took the images; see above"
}

# ---- what happens to hosts ----

lab_cut() {
  lab_node "$@"
  ip -n "$LAB_SWITCH" link set "$NODE_NAME" down 2>/dev/null || die "$NODE_NAME has no cable: it is off"
  say "$NODE_NAME ($NODE_ADDRESS) is cut from the network; back:  ./skep lab heal ${NODE_NAME#node}"
  lab_quorum_notice
}

lab_heal() {
  lab_node "$@"
  ip -n "$LAB_SWITCH" link set "$NODE_NAME" up 2>/dev/null || die "$NODE_NAME has no cable: it is off"
  say "$NODE_NAME ($NODE_ADDRESS) is on the network"
}

lab_kill() {
  lab_node "$@"
  lab_init "$NODE" >/dev/null || die "$NODE_NAME is off already"
  lab_power_off "$NODE"
  say "$NODE_NAME is off; on again:  ./skep lab start ${NODE_NAME#node}"
  lab_quorum_notice
}

# Killing process 1 of a process namespace kills everything in it, and it is gone last.
lab_power_off() {
  local pid pids parents tries=0
  while :; do
    pids=$(lab_processes "$1")
    [ -n "$pids" ] || break
    parents=yes
    for pid in $pids; do
      if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != unshare ]; then
        parents=no
        kill -9 "$pid" 2>/dev/null || true
      fi
    done
    # the parent of a process 1 ends when the last process of the host has; one without a child is ended by us
    if [ $parents = yes ] && [ $((tries % 100)) = 99 ]; then
      for pid in $pids; do kill -9 "$pid" 2>/dev/null || true; done
    fi
    tries=$((tries + 1))
    [ $tries -lt 600 ] || die "of $1 these processes do not end: ${pids//$'\n'/ }"
    sleep 0.05
  done
  rm -f "$1/init.pid"
}

# The processes that stand for the hosts in folder $1 or below: those that were started with it as an argument of lab-host.
lab_processes() {
  local file words
  for file in /proc/[0-9]*/cmdline; do
    mapfile -d "" -t words 2>/dev/null <"$file" || continue
    [ "${words[*]: -3:1}" = lab-host ] || continue
    case ${words[*]: -1} in "$1" | "$1"/*) file=${file#/proc/} && echo "${file%/cmdline}" ;; esac
  done
}

lab_stop() {
  local daemon
  lab_node "$@"
  lab_running
  if [ "$LAB_NATIVE" = no ]; then lab_enter "$HERE/skep" down --edge || true; fi
  lab_end TERM docker
  for daemon in etcd kafka; do ! "lab_has_$daemon" || lab_end TERM "$daemon"; done
  lab_power_off "$NODE"
  say "$NODE_NAME has shut down; on again:  ./skep lab start ${NODE_NAME#node}"
  lab_quorum_notice
}

# Several at once: managers need the etcd of most others before they answer.
lab_start() {
  local number
  [ $# -gt 0 ] || lab_node
  for number in "$@"; do lab_node "$number"; done
  [ "$LAB_NATIVE" = yes ] || skep_build
  for number in "$@"; do
    lab_node "$number"
    if lab_init "$NODE" >/dev/null; then
      lab_enter "$HERE/skep" lab-boot "$LAB" "$NODE"
    else
      lab_power_on
    fi
  done
  for number in "$@"; do
    lab_node "$number"
    lab_wait_ready without-store
    say "$NODE_NAME runs:  export DOCKER_HOST=unix://$(lab_socket)"
  done
}

lab_freeze() {
  lab_node "$@"
  lab_signal STOP skep/skepd
  say "skepd of $NODE_NAME stands still; on:  ./skep lab thaw ${NODE_NAME#node}"
}

lab_thaw() {
  lab_node "$@"
  lab_signal CONT skep/skepd
  say "skepd of $NODE_NAME goes on"
}

lab_signal() {
  local pid
  lab_running
  pid=$(cat "$NODE/run/$2.pid" 2>/dev/null) || die "${2#skep/} does not run on $NODE_NAME"
  lab_enter kill -s "$1" "$pid" || die "${2#skep/} does not run on $NODE_NAME"
}

lab_engine() {
  lab_node "${2:-}"
  lab_running
  lab_daemon docker "${1:-}" || die "lab engine kill|stop|start|freeze|thaw I"
  [ "$1" != start ] || lab_wait_ready without-store
}

# lab_daemon NAME WHAT: to one daemon of the host NODE; fails when there is no such WHAT.
lab_daemon() {
  case $2 in
    kill) lab_end KILL "$1" ;;
    stop) lab_end TERM "$1" ;;
    freeze) lab_signal STOP "$1" ;;
    thaw) lab_signal CONT "$1" ;;
    start) lab_enter "$HERE/skep" lab-boot "$LAB" "$NODE" ;;
    *) return 1 ;;
  esac
}

# lab_end SIGNAL NAME: ends a daemon, and waits until it has.
lab_end() {
  local tries=0
  lab_signal "$1" "$2"
  while lab_enter kill -0 "$(cat "$NODE/run/$2.pid" 2>/dev/null || echo 0)" 2>/dev/null; do
    [ -s "$NODE/run/$2.pid" ] || break
    tries=$((tries + 1))
    [ $tries -lt 300 ] || die "$2 of $NODE_NAME does not end"
    sleep 0.1
  done
  rm -f "$NODE/run/$2.pid"
}

lab_status() {
  local number store=''
  ! lab_shared || store=$(printf '%-7s %-7s' ETCD KAFKA)
  printf '%-8s %-16s %-8s %-8s %-7s %-7s %s%-9s %s\n' HOST ADDRESS CABLE ENGINE SKEPD EDGE "${store:+$store }" CLUSTER DOCKER_HOST
  for number in $(seq "$LAB_NODES"); do
    lab_node "$number"
    [ -z "$store" ] || store=$(printf '%-7s %-7s' "$(lab_shows_store etcd)" "$(lab_shows_store kafka)")
    printf '%-8s %-16s %-8s %-8s %-7s %-7s %s%-9s %s\n' "$NODE_NAME" "$NODE_ADDRESS" "$(lab_cable)" "$(lab_shows docker)" "$(lab_shows skep/skepd)" \
      "$(lab_shows skep/edge)" "${store:+$store }" "$(lab_swarm)" "unix://$(lab_socket)"
  done
}

lab_shows_store() { if "lab_has_$1"; then lab_shows "$1"; else echo no; fi; }

lab_cable() {
  if ! lab_init "$NODE" >/dev/null; then
    echo "off"
  elif ip -n "$LAB_SWITCH" -o link show "$NODE_NAME" 2>/dev/null | grep -q 'state UP'; then
    echo up
  else
    echo cut
  fi
}

lab_shows() {
  local pid state
  if ! lab_init "$NODE" >/dev/null || ! pid=$(cat "$NODE/run/$1.pid" 2>/dev/null); then echo - && return; fi
  state=$(lab_enter sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$pid/status" 2>/dev/null) || { echo dead && return; }
  if [ "$state" = T ]; then echo frozen; else echo runs; fi
}

lab_swarm() {
  local socket info state
  socket=$(lab_socket)
  if ! lab_init "$NODE" >/dev/null || [ ! -S "$socket" ]; then echo - && return; fi
  info=$(curl -s --max-time 2 --unix-socket "$socket" http://skep/info) || { echo - && return; }
  state=$(grep -o '"LocalNodeState":"[a-z]*"' <<<"$info" | head -n 1 | cut -d'"' -f4)
  case $state in
    active) if grep -q '"ControlAvailable":true' <<<"$info"; then echo manager; else echo worker; fi ;;
    inactive) echo none ;;
    *) echo "${state:--}" ;;
  esac
}
