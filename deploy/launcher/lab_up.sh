# lab up and lab down: hosts appear in parallel, and nothing of them stays.

lab_up() {
  local nodes='' began=${EPOCHREALTIME/[.,]/} join=yes init=yes
  LAB_NATIVE=no LAB_UNDERLAY=192.168.88.0/24 LAB_MANAGERS=1 LAB_ETCD='' LAB_SECURE=no
  while [ $# -gt 0 ]; do
    case $1 in
      --nodes | --underlay | --managers)
        [ $# -ge 2 ] || die "lab up: $1 needs a value"
        case $1 in
          --nodes) nodes=$2 ;;
          --managers) LAB_MANAGERS=$2 ;;
          *) LAB_UNDERLAY=$2 ;;
        esac
        shift
        ;;
      --managers=*) LAB_MANAGERS=${1#*=} ;;
      --nodes=*) nodes=${1#*=} ;;
      --underlay=*) LAB_UNDERLAY=${1#*=} ;;
      --secure) LAB_SECURE=yes ;;
      --no-join) join=no ;;
      --no-init) init=no ;;
      --native) LAB_NATIVE=yes ;;
      *) die "lab up: unknown option '$1'" ;;
    esac
    shift
  done
  lab_check_size "$nodes"
  if lab_secure && ! lab_shared; then die "lab up: --secure is for the etcd and the Kafka that several managers have: --managers 3"; fi
  need nsenter util-linux unshare util-linux mount mount dockerd docker.io busybox busybox-static
  need_run_tools
  [ "$LAB_NATIVE" = yes ] || skep_build
  ! lab_shared || lab_store_tools
  lab_claim
  trap 'say "the lab is not complete; what there is:  ./skep lab status --name $LAB_NAME, logs below $LAB; remove it:  ./skep lab down --name $LAB_NAME"' EXIT
  ! lab_secure || lab_certificates
  lab_switch
  step "booting $nodes hosts"
  lab_each lab_up_host
  [ $init = no ] || lab_cluster "$join"
  trap - EXIT
  lab_summary "$init" "$(($((${EPOCHREALTIME/[.,]/} - began)) / 100000))"
}

lab_check_size() {
  local prefix=${LAB_UNDERLAY#*/} octet='(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])'
  [[ $1 =~ ^[1-9][0-9]?$ ]] || die "lab up: --nodes N says how many hosts (1 to 99), not '$1'"
  if ! [[ $LAB_UNDERLAY =~ ^$octet\.$octet\.$octet\.$octet/(8|9|1[0-9]|2[0-9])$ ]]; then
    die "lab up: --underlay takes an IPv4 network like 192.168.88.0/24, not '$LAB_UNDERLAY'"
  fi
  [ "$1" -le $(((1 << (32 - prefix)) - 3)) ] || die "lab up: $LAB_UNDERLAY has no room for $1 hosts"
  LAB_NODES=$1
  if ! [[ $LAB_MANAGERS =~ ^[1-7]$ ]] || [ "$LAB_MANAGERS" -gt "$1" ]; then
    die "lab up: --managers M says how many of the $1 hosts are managers (1 to $(($1 < 7 ? $1 : 7))), not '$LAB_MANAGERS'"
  fi
  [ $((LAB_MANAGERS % 2)) = 1 ] || say "    $LAB_MANAGERS managers survive the loss of no more of them than $((LAB_MANAGERS - 1)) do: take an odd number"
}

# Takes the name. Hosts mount their own files over folders that this machine must have; those we make are remembered.
lab_claim() {
  local folder
  LAB=$LAB_BASE/$LAB_NAME
  LAB_SWITCH=skep-lab-$LAB_NAME
  mkdir -p "$LAB_REGISTRY" "$LAB_BASE"
  exec 7>"$LAB_REGISTRY/.lock"
  flock 7
  if [ -L "$LAB_REGISTRY/$LAB_NAME" ] || ! mkdir "$LAB" 2>/dev/null; then
    die "there is a lab '$LAB_NAME' already. Look at it:  ./skep lab status --name $LAB_NAME   Remove it:  ./skep lab down --name $LAB_NAME   Or choose another --name."
  fi
  chmod 711 "$LAB"
  ln -s "$LAB" "$LAB_REGISTRY/$LAB_NAME"
  printf 'nodes=%s\nunderlay=%s\nnative=%s\nmanagers=%s\netcd=%s\nsecure=%s\n' "$LAB_NODES" "$LAB_UNDERLAY" "$LAB_NATIVE" "$LAB_MANAGERS" "$LAB_ETCD" "$LAB_SECURE" >"$LAB/settings"
  for folder in /var/lib/skep /var/lib/docker; do
    [ -d "$folder" ] || { mkdir "$folder" && echo "$folder" >>"$LAB_REGISTRY/.made"; }
  done
  exec 7>&-
}

# A namespace that is the switch, and the hosts' only neighbour. This machine's own network is not touched.
# It refuses at once what would go elsewhere, so that nobody waits for an answer from the internet.
lab_switch() {
  ip netns add "$LAB_SWITCH"
  ip -n "$LAB_SWITCH" -batch - <<TEXT
link set lo up
link add br0 address $(lab_mac 0) type bridge
addr add $(lab_address 0)/${LAB_UNDERLAY#*/} dev br0
link set br0 up
route add unreachable default
TEXT
  # shellcheck disable=SC2016
  ip netns exec "$LAB_SWITCH" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; f=/proc/sys/net/bridge/bridge-nf-call-iptables; [ ! -e $f ] || echo 0 >$f'
}

# lab_each CMD: for every host at once; the output of one that fails is shown.
lab_each() {
  local number jobs=() failed=()
  for number in $(seq "$LAB_NODES"); do
    lab_node "$number"
    mkdir -p "$NODE"
    "$1" >>"$NODE/up.log" 2>&1 &
    jobs+=($!)
  done
  for number in $(seq "$LAB_NODES"); do wait "${jobs[number - 1]}" || failed+=("$number"); done
  [ ${#failed[@]} = 0 ] || {
    for number in "${failed[@]}"; do tail -n 15 "$LAB/node$number/up.log" | sed "s/^/node$number  /" >&2; done
    die "$(printf 'node%s ' "${failed[@]}")failed; see above"
  }
}

lab_up_host() {
  lab_power_on
  lab_wait_engine
  DOCKER_HOST=unix://$NODE/run/docker.sock "$HERE/examples/hello/prepare"
  lab_wait_ready with-store
}

# Starts process 1 of a host, in namespaces of its own; see lab_host.sh for what it does.
lab_power_on() {
  local tries=0
  [ -f "$LAB/settings" ] || die "the lab is being removed"
  mkdir -p "$NODE"/{run,skep,docker,log,etc}
  find "$NODE/run" -mindepth 1 -delete
  ip -n "$LAB_SWITCH" link del "$NODE_NAME" 2>/dev/null || true
  DOCKER_HOST='' setsid unshare --mount --uts --ipc --net --pid --fork --kill-child -- "$HERE/skep" lab-host "$LAB" "$NODE" >"$NODE/log/boot.log" 2>&1 </dev/null &
  until lab_init "$NODE" >/dev/null; do
    tries=$((tries + 1))
    if [ $tries -ge 200 ] || ! kill -0 $! 2>/dev/null; then
      cat "$NODE/log/boot.log" >&2
      die "$NODE_NAME does not boot; see above"
    fi
    sleep 0.05
  done
}

lab_wait_engine() {
  local began=$SECONDS
  until [ -S "$NODE/run/docker.sock" ] && engine_answers "$NODE/run/docker.sock"; do
    lab_still_boots "$began" docker "the engine of $NODE_NAME"
  done
}

# lab_wait_ready with-store|without-store: until the API answers, or, without-store, until it is clear that it waits for etcd.
lab_wait_ready() {
  local began=$SECONDS socket
  lab_wait_engine
  socket=$(lab_socket)
  until [ -S "$socket" ] && engine_answers "$socket"; do
    if [ "$1" = without-store ] && [ $((SECONDS - began)) -ge 5 ] && ! lab_quorum; then lab_quorum_notice && return; fi
    lab_still_boots "$began" ../skep/log/skepd "the API of $NODE_NAME"
  done
}

lab_still_boots() {
  if [ $((SECONDS - $1)) -ge 60 ] || ! lab_init "$NODE" >/dev/null; then
    tail -n 15 "$NODE/log/$2.log" >&2 || true
    die "$3 does not answer; see above and the logs in $NODE/log and $NODE/skep/log"
  fi
  sleep 0.1
}

# node1 makes the cluster; the others join it as a user would let them.
lab_cluster() {
  local join=$1 pid
  step "initialising the cluster on node1"
  lab_node 1
  pid=$(cat "$NODE/run/skep/skepd.pid" 2>/dev/null || true)
  docker -H "unix://$(lab_socket)" swarm init --advertise-addr "$NODE_ADDRESS" >>"$NODE/up.log" 2>&1 || {
    tail -n 5 "$NODE/up.log" >&2
    die "the cluster could not be initialised on node1; see above"
  }
  ! lab_secure || lab_await_own_user "$pid"
  if [ "$join" = no ] || [ "$LAB_NODES" = 1 ]; then return; fi
  LAB_MANAGER=unix://$(lab_socket)
  LAB_TOKEN=$(docker -H "$LAB_MANAGER" swarm join-token -q worker)
  LAB_MANAGER_TOKEN=$(docker -H "$LAB_MANAGER" swarm join-token -q manager)
  step "joining $((LAB_NODES - 1)) hosts$([ "$LAB_MANAGERS" = 1 ] || echo ", $((LAB_MANAGERS - 1)) of them as managers")"
  lab_each lab_join_host
  lab_wait_nodes
}

# node1 goes on as its own user of store and log: its skepd starts once more.
lab_await_own_user() {
  local began=$SECONDS
  until [ "$(cat "$NODE/run/skep/skepd.pid" 2>/dev/null)" != "$1" ] && engine_answers "$(lab_socket)"; do lab_still_boots "$began" ../skep/log/skepd "the API of node1, as its own user,"; done
}

lab_join_host() {
  local token=$LAB_TOKEN
  if [ "$NODE_NAME" = node1 ]; then return; fi
  [ "${NODE_NAME#node}" -gt "$LAB_MANAGERS" ] || token=$LAB_MANAGER_TOKEN
  docker -H "unix://$(lab_socket)" swarm join --token "$token" "$(lab_address 1):2377"
}

lab_wait_nodes() {
  local began=$SECONDS
  until [ "$(docker -H "$LAB_MANAGER" node ls --format '{{.Status}} {{.ManagerStatus}}' | awk '/^Ready/ {n++} / (Leader|Reachable)$/ {m++} END {print n "/" m}')" = "$LAB_NODES/$LAB_MANAGERS" ]; do
    if [ $((SECONDS - began)) -ge 60 ]; then
      docker -H "$LAB_MANAGER" node ls >&2
      die "not every host is a ready node after 60 s; see above"
    fi
    sleep 0.1
  done
}

lab_summary() {
  local flag='' number
  [ "$LAB_NAME" = lab ] || flag=" --name $LAB_NAME"
  say "==> $LAB_NODES hosts are up after ${2%?}.${2: -1} s"
  say ""
  for number in $(seq "$LAB_NODES"); do
    lab_node "$number"
    printf '%-7s %-15s export DOCKER_HOST=unix://%s\n' "$NODE_NAME" "$NODE_ADDRESS" "$(lab_socket)"
  done
  if lab_shared; then
    echo
    echo "managers: node1 to node$LAB_MANAGERS; their store $(lab_store_uri), its log $(lab_log_uri)"
  fi
  echo
  echo "Paste one of these lines, then use docker as ever; there is an image skep-hello:1 on every host. For example:"
  lab_node 1
  if [ "$1" = yes ]; then
    echo "    docker stack deploy --resolve-image never -c examples/hello/compose.yaml hello"
    echo "    ./skep lab exec$flag outside curl -s http://$NODE_ADDRESS:8080/"
  else
    echo "    docker swarm init --advertise-addr $NODE_ADDRESS"
  fi
  echo "    ./skep lab status$flag; ./skep lab cut$flag 2; ./skep lab --help; ./skep lab down$flag"
}

lab_down() {
  local number cgroup
  step "switching off"
  lab_power_off "$LAB"
  ip netns del "$LAB_SWITCH" 2>/dev/null || true
  # what containers leave: their control groups, below one per host
  while read -r cgroup; do
    find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done < <(find /sys/fs/cgroup -maxdepth 2 -type d -name "skep-lab-$LAB_NAME" 2>/dev/null)
  step "removing $LAB"
  rm -rf "$LAB"
  rmdir "$LAB_BASE" 2>/dev/null || true
  mkdir -p "$LAB_REGISTRY"
  exec 7>"$LAB_REGISTRY/.lock"
  flock 7
  rm -f "$LAB_REGISTRY/$LAB_NAME"
  if [ -z "$(find "$LAB_REGISTRY" -type l)" ]; then
    while read -r number; do rmdir "$number" 2>/dev/null || true; done < <(cat "$LAB_REGISTRY/.made" 2>/dev/null)
    rm -rf "$LAB_REGISTRY"
  fi
  exec 7>&-
}
