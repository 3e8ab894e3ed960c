# up: from nothing to a stack that answers.

skep_up() {
  local stack='' init=yes foreground=no setting access=()
  instance_options "$@"
  set -- "${REST[@]+"${REST[@]}"}"
  while [ $# -gt 0 ]; do
    case $1 in
      --stack)
        [ $# -ge 2 ] || die "--stack needs a compose file"
        stack=$2
        shift
        ;;
      --stack=*) stack=${1#*=} ;;
      --no-init) init=no ;;
      --foreground) foreground=yes ;;
      --store.* | --log.* | --admin-log=* | --client-ca*)
        setting=$(access_setting "$1") || die "up: there is no setting '$1' (docs/DEPLOYMENT.md, Credentials)"
        access+=("$setting")
        ;;
      *) die "up: unknown option '$1'" ;;
    esac
    shift
  done
  [ ${#access[@]} = 0 ] || SETTINGS=("${access[@]}")
  need_root up
  [ -z "$stack" ] || [ -f "$stack" ] || die "no such compose file: $stack"
  [ -z "$stack" ] || [ $init = yes ] || die "--stack needs a cluster: leave out --no-init, or deploy after 'docker swarm init'"
  need_run_tools
  need_engine "$ENGINE_SOCKET"
  need_own_store
  skep_build
  remember_instance
  start_daemons
  [ $init = no ] || init_cluster
  [ -z "$stack" ] || deploy_stack "$stack"
  say ""
  skep_where
  restore_notice >&2
  [ $foreground = no ] || stay_in_foreground
}

# Prints what the daemons log until Ctrl-C stops skepd. A background job ignores Ctrl-C, so tail is ended by hand.
stay_in_foreground() {
  tail -n 0 -F "$DATA/log/skepd.log" "$DATA/log/edge.log" &
  local tail=$!
  # shellcheck disable=SC2064
  trap "kill $tail 2>/dev/null; stop_supervised skepd; exit 0" INT TERM
  wait
}

start_daemons() {
  local began=$SECONDS said='' waits from
  if [ "$CHANGED" = yes ] && supervised skepd; then
    step "other settings than before: starting skepd again"
    stop_supervised skepd
  fi
  if supervised skepd && api_answers; then
    step "the daemon runs already (pid $(cat "$RUN/skepd.pid")); leaving it as it is"
    start_supervised edge
    return
  fi
  step "starting skepd and the edge"
  from=$(stat -c %s "$DATA/log/skepd.log" 2>/dev/null || echo 0) # what stands there already is of an earlier start
  start_supervised edge
  start_supervised skepd
  until api_answers; do
    # why it waits, once it has said so: a store that is away, or does not let it in
    waits=$(tail -c "+$((from + 1))" "$DATA/log/skepd.log" 2>/dev/null | sed -n 's/^.*waiting for \(the store .*\)$/\1/p' | tail -n 1)
    if [ $((SECONDS - began)) -ge 2 ] && [ -n "$waits" ] && [ "$waits" != "$said" ]; then
      said=$waits
      say "    skepd waits for $waits"
    fi
    # the supervisor needs a moment, on a busy machine seconds, until it has said who it is
    if [ $((SECONDS - began)) -ge 90 ] || { ! kill -0 "$SUPERVISOR" 2>/dev/null && ! supervised skepd; }; then
      [ -z "$said" ] || die "skepd still waits for $said
      It goes on as soon as that is mended. Other settings:  ./skep up --store … --log …; end it:  ./skep down"
      tail -n 15 "$DATA/log/skepd.log" >&2
      die "the API does not answer at ${APIS[0]}; the last lines of $DATA/log/skepd.log are above"
    fi
    sleep 0.05
  done
}

swarm_state() { api_curl /info | grep -o '"LocalNodeState":"[a-z]*"' | head -n 1 | cut -d'"' -f4; }

init_cluster() {
  [ "$(swarm_state)" = inactive ] || return 0
  step "initialising the cluster"
  local answer pid
  pid=$(cat "$RUN/skepd.pid")
  answer=$(post_init 0.0.0.0:2377)
  # A second instance on this machine takes any port for other nodes; the default one says who is in the way.
  case $answer in *"address already in use"*) [ -z "$INSTANCE" ] || answer=$(post_init 0.0.0.0:0) ;; esac
  [ "${answer##*$'\n'}" = 200 ] || die "the cluster could not be initialised: ${answer%$'\n'*}"
  await_own_user "$pid"
}

# A host that founded a cluster in a store with users goes on as its own user: skepd starts once more.
await_own_user() {
  local began=$SECONDS
  grep -q '^store\.user=skep\.' "$DATA/identity/store.properties" 2>/dev/null || return 0
  step "going on as this host's own user of store and log"
  until [ "$(cat "$RUN/skepd.pid" 2>/dev/null)" != "$1" ] && api_answers; do
    if [ $((SECONDS - began)) -ge 60 ]; then
      tail -n 15 "$DATA/log/skepd.log" >&2
      die "skepd does not come back as its own user; the last lines of $DATA/log/skepd.log are above"
    fi
    sleep 0.05
  done
}

# post_init LISTEN: the answer and, on a line of its own, its status.
post_init() {
  api_curl /swarm/init -X POST -H 'Content-Type: application/json' -w '\n%{http_code}' \
    -d '{"ListenAddr":"'"$1"'","AdvertiseAddr":"","ForceNewCluster":false,"Spec":{"Labels":{}},"AutoLockManagers":false,"Availability":"","DefaultAddrPool":[],"SubnetSize":0}'
}

# The address that also passes the engine's own routes through: a unix socket, if there is one.
whole_api() {
  local api
  for api in "${APIS[@]}"; do
    case $api in unix://*) echo "$api" && return ;; esac
  done
  echo "${APIS[0]}"
}

skep_docker() { DOCKER_HOST=${APIS[0]} docker "$@"; }

deploy_stack() {
  local file=$1 folder name
  folder=$(cd "$(dirname "$file")" && pwd)
  name=$(basename "$folder" | tr '[:upper:]' '[:lower:]' | tr -cd 'a-z0-9_-')
  # An example that needs an image nobody can pull brings a script that makes it.
  if [ -x "$folder/prepare" ]; then
    step "preparing the images of stack $name"
    DOCKER_HOST=$ENGINE "$folder/prepare" >&2 || die "$folder/prepare failed"
  fi
  step "deploying stack $name"
  skep_docker stack deploy --resolve-image never -c "$file" "$name" >&2
  wait_for_stack "$name"
  show_stack "$name"
}

# Every service has what it wants, or a minute has passed: then the reasons are shown.
wait_for_stack() {
  local name=$1 began=$SECONDS waiting
  while :; do
    waiting=$(skep_docker stack services --format '{{.Name}} {{.Replicas}}' "$name" | awk '{split($2, n, "/"); if (n[1] + 0 < n[2] + 0) print $1}')
    [ -n "$waiting" ] || return 0
    if [ $((SECONDS - began)) -ge 60 ]; then
      say "    not all tasks run after a minute:"
      skep_docker stack ps --no-trunc "$name" >&2 || true
      return 0
    fi
    sleep 0.2
  done
}

show_stack() {
  local port answer shown=0
  skep_docker stack services "$1"
  while read -r port; do
    [ -n "$port" ] || continue
    echo
    echo "\$ curl http://127.0.0.1:$port/   (six times)"
    for _ in 1 2 3 4 5 6; do
      answer=$(curl -s --max-time 5 --retry 10 --retry-delay 1 --retry-connrefused "http://127.0.0.1:$port/" | head -n 1 | cut -c1-100) || answer="(no HTTP answer)"
      echo "$answer"
    done
    shown=$((shown + 1))
    [ $shown -lt 3 ] || break
  done < <(skep_docker stack services --format '{{.Ports}}' "$1" | tr ',' '\n' | sed -n 's/^ *\*:\([0-9]*\)->[0-9]*\/tcp.*/\1/p')
}

skep_where() {
  local api
  for api in "${APIS[@]}"; do echo "API          $api"; done
  echo "gRPC         unix://$RUN/control.sock"
  echo "data, logs   $DATA, $DATA/log"
  echo
  echo "Paste this, then use docker as ever:"
  echo "    export DOCKER_HOST=$(whole_api)"
}

skep_status() {
  local name
  instance_options "$@"
  for name in skepd edge; do
    if alive $name; then
      printf '%-8s running, pid %s, %s MiB resident\n' $name "$(cat "$RUN/$name.pid")" "$(awk '/VmRSS/ {print int($2 / 1024)}' "/proc/$(cat "$RUN/$name.pid")/status")"
    else
      printf '%-8s not running\n' $name
    fi
  done
  if api_answers; then
    echo
    skep_where
    echo
    case $(swarm_state) in
      active | pending)
        if api_curl /info | grep -q '"ControlAvailable":true'; then
          if [ -n "$(restore_notice)" ]; then
            restore_notice
            moving pending
            echo
          fi
          skep_docker node ls
          echo
          skep_docker service ls
        else
          skep_docker info 2>/dev/null | sed -n '/^ *Swarm:/,/^ *Runtimes:/{/Runtimes:/d; s/^ //; p}'
        fi
        ;;
      inactive) echo "no cluster yet: docker swarm init" ;;
      *) echo "the engine at $ENGINE does not answer: $(api_curl /info)" ;;
    esac
  fi
}

skep_logs() {
  instance_options "$@"
  local names=() follow=()
  set -- "${REST[@]+"${REST[@]}"}"
  while [ $# -gt 0 ]; do
    case $1 in
      -f | --follow) follow=(-F) ;;
      skepd | edge) names+=("$DATA/log/$1.log") ;;
      *) die "logs: unknown argument '$1' (skepd, edge, -f)" ;;
    esac
    shift
  done
  [ ${#names[@]} -gt 0 ] || names=("$DATA/log/skepd.log" "$DATA/log/edge.log")
  [ -f "${names[0]}" ] || die "no logs in $DATA/log: was this instance ever started?"
  tail -n 200 "${follow[@]+"${follow[@]}"}" "${names[@]}"
}
