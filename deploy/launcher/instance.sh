# One instance: its folders, its addresses, its processes. Several may live on one machine.

DATA=/var/lib/skep
APIS=()
ENGINE=unix:///var/run/docker.sock
STORE=
LOG=
SETTINGS=() # of skepd: what gets it into store and log
REST=()

# instance_options ARGS…: reads the options that name an instance; what is left is in REST.
instance_options() {
  REST=()
  while [ $# -gt 0 ]; do
    case $1 in
      --data | --api | --engine | --store | --log)
        [ $# -ge 2 ] || die "$1 needs a value"
        instance_option "$1" "$2"
        shift
        ;;
      --data=* | --api=* | --engine=* | --store=* | --log=*) instance_option "${1%%=*}" "${1#*=}" ;;
      *) REST+=("$1") ;;
    esac
    shift
  done
  DATA=$(readlink -m "$DATA")
  if [ "$DATA" = /var/lib/skep ]; then
    INSTANCE=
    RUN=/run/skep
  else
    INSTANCE=$(instance_mark "$DATA")
    RUN=/run/skep-$INSTANCE
  fi
  # What `up` was told is remembered, so that down, status and a second up need only --data.
  if [ ${#APIS[@]} = 0 ] && [ -f "$DATA/launch" ]; then
    mapfile -t APIS < <(sed -n 's/^api=//p' "$DATA/launch")
    ENGINE=$(sed -n 's/^engine=//p' "$DATA/launch")
  fi
  if [ -f "$DATA/launch" ]; then
    [ -n "$STORE" ] || STORE=$(sed -n 's/^store=//p' "$DATA/launch")
    [ -n "$LOG" ] || LOG=$(sed -n 's/^log=//p' "$DATA/launch")
    mapfile -t SETTINGS < <(sed -n 's/^setting=//p' "$DATA/launch")
  fi
  [ ${#APIS[@]} -gt 0 ] || APIS=("unix://$RUN/docker.sock")
  ENGINE_SOCKET=${ENGINE#unix://}
}

# Four hex digits, the first a letter: what is marked with them can never be taken for the default instance's, whose
# bridges end in a number.
instance_mark() {
  local hash letters=abcdef
  hash=$(printf %s "$1" | sha256sum)
  echo "${letters:$((16#${hash:3:1} % 6)):1}${hash:0:3}"
}

instance_option() {
  case $1 in
    --data) DATA=$2 ;;
    --api)
      case $2 in
        unix:///* | tcp://127.0.0.1:*) APIS+=("$2") ;;
        *) die "--api takes unix:///PATH or tcp://127.0.0.1:PORT, not '$2'" ;;
      esac
      ;;
    --engine)
      case $2 in
        unix:///*) ENGINE=$2 ;;
        *) die "--engine takes unix:///PATH, not '$2'" ;;
      esac
      ;;
    --store)
      case $2 in
        etcd://?* | embedded:/?*) STORE=$2 ;;
        *) die "--store takes etcd://HOST:PORT,HOST:PORT,… or embedded:/FOLDER, not '$2'" ;;
      esac
      ;;
    --log)
      case $2 in
        kafka://?*) LOG=$2 ;;
        *) die "--log takes kafka://HOST:PORT,HOST:PORT,…, not '$2'" ;;
      esac
      ;;
  esac
}

# access_setting --SETTING=VALUE: one of those that get a process into store and log, as it will be given to it; fails for others.
access_setting() {
  local name=${1%%=*} value=${1#*=}
  case $1 in
    --store.password=* | --log.password=*) die "$name would stand in every list of processes: put it into a file, and give $name-file=FILE" ;;
    --store.password-file=* | --store.ca=* | --store.certificate=* | --store.key=* | --log.password-file=* | --log.ca=* | --log.certificate=* | --log.key=* | \
      --client-ca=* | --client-ca-key=*)
      [ -r "$value" ] || die "$name: there is no file $value"
      echo "$name=$(readlink -m "$value")"
      ;;
    --store.user=* | --log.user=* | --admin-log=*) echo "$1" ;;
    *) return 1 ;;
  esac
}

# Leaves in CHANGED whether the instance was told something else before.
remember_instance() {
  local before
  before=$(cat "$DATA/launch" 2>/dev/null || true)
  mkdir -p "$DATA" "$DATA/log" "$RUN"
  chmod 711 "$DATA"
  {
    printf 'engine=%s\n' "$ENGINE"
    printf 'api=%s\n' "${APIS[@]}"
    [ -z "$STORE" ] || printf 'store=%s\n' "$STORE"
    [ -z "$LOG" ] || printf 'log=%s\n' "$LOG"
    [ ${#SETTINGS[@]} = 0 ] || printf 'setting=%s\n' "${SETTINGS[@]}"
  } >"$DATA/launch"
  CHANGED=no
  [ -z "$before" ] || [ "$before" = "$(cat "$DATA/launch")" ] || CHANGED=yes
}

# api_curl PATH [curl options]: one call of the first API address.
api_curl() {
  local path=$1 api=${APIS[0]}
  shift
  case $api in
    unix://*) curl -s --max-time 30 --unix-socket "${api#unix://}" "$@" "http://localhost$path" ;;
    tcp://*) curl -s --max-time 30 "$@" "http://${api#tcp://}$path" ;;
  esac
}

api_answers() { [ "$(api_curl /_ping --max-time 2 2>/dev/null)" = OK ]; }

# alive NAME: the pid in RUN/NAME.pid is a process of this instance.
alive() {
  local pid
  pid=$(cat "$RUN/$1.pid" 2>/dev/null) || return 1
  [ -n "$pid" ] && grep -qz -- "--run=$RUN" "/proc/$pid/cmdline" 2>/dev/null
}

# skep_supervise NAME: runs one daemon and starts it again whenever it ends, until RUN/NAME.stop appears.
# A daemon that breaks its own rules ends itself: to be restarted is part of the design.
skep_supervise() {
  local name=$1 started status backoff=0 pid='' cache=()
  shift
  instance_options "$@"
  find_jdk
  local flags=("--data=$DATA" "--run=$RUN" "--instance=$INSTANCE")
  [ "$name" = edge ] || flags+=("--engine=$ENGINE" "--api=$(IFS=,; echo "${APIS[*]}")" ${STORE:+"--store=$STORE"} ${LOG:+"--log=$LOG"} "${SETTINGS[@]+"${SETTINGS[@]}"}")
  echo $$ >"$RUN/$name.supervisor.pid"
  trap 'touch "$RUN/$name.stop"; [ -z "$pid" ] || kill "$pid" 2>/dev/null' TERM
  while [ ! -e "$RUN/$name.stop" ]; do
    started=$SECONDS
    cache_options "$name"
    # shellcheck disable=SC2046 # the options are words
    "$JAVA_HOME/bin/java" "${cache[@]+"${cache[@]}"}" $(jvm_options "$name") -cp "$BUILD/lib/*" \
      "$(main_class "$name")" "${flags[@]}" &
    pid=$!
    echo "$pid" >"$RUN/$name.pid"
    status=0
    wait "$pid" || status=$?
    # a signal to us ends the wait early: the daemon may still be on its way out
    while kill -0 "$pid" 2>/dev/null; do wait "$pid" || status=$?; done
    [ ! -e "$RUN/$name.stop" ] || break
    if [ $status = 64 ]; then
      printf '%s supervisor: %s does not accept its settings; not starting it again\n' "$(date -u +%FT%TZ)" "$name"
      break
    fi
    # one that has served is started again at once; only one that cannot live is held back
    if [ $status = 75 ] || [ $((SECONDS - started)) -ge 3 ]; then backoff=0; fi
    printf '%s supervisor: %s (pid %s) ended; starting it again in %s s\n' "$(date -u +%FT%TZ)" "$name" "$pid" "$backoff"
    sleep "$backoff"
    backoff=$((backoff < 5 ? backoff + 1 : 5))
  done
  rm -f "$RUN/$name.pid" "$RUN/$name.stop" "$RUN/$name.supervisor.pid"
}

supervised() {
  local pid
  pid=$(cat "$RUN/$1.supervisor.pid" 2>/dev/null) || return 1
  [ -n "$pid" ] && grep -qz supervise "/proc/$pid/cmdline" 2>/dev/null
}

# Leaves in SUPERVISOR the process that it began, if it began one.
start_supervised() {
  SUPERVISOR=
  supervised "$1" && return
  rm -f "$RUN/$1.stop"
  local api args=(--data "$DATA" --engine "$ENGINE")
  for api in "${APIS[@]}"; do args+=(--api "$api"); done
  setsid "$HERE/skep" supervise "$1" "${args[@]}" >>"$DATA/log/$1.log" 2>&1 </dev/null &
  SUPERVISOR=$!
}

# stop_supervised NAME: asks the supervisor to end its daemon and waits until both are gone.
stop_supervised() {
  local name=$1 pid tries=0
  pid=$(cat "$RUN/$name.supervisor.pid" 2>/dev/null) || return 0
  supervised "$name" || { rm -f "$RUN/$name.supervisor.pid" "$RUN/$name.pid"; return 0; }
  touch "$RUN/$name.stop"
  kill "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null; do
    tries=$((tries + 1))
    if [ $tries = 150 ]; then
      say "    $name does not end by itself; killing it"
      kill -9 "$(cat "$RUN/$name.pid" 2>/dev/null)" 2>/dev/null || true
    fi
    [ $tries -lt 200 ] || die "the supervisor of $name (pid $pid) does not end"
    sleep 0.1
  done
}
