# run, admin, replay: one process in the foreground, for whoever watches processes already: systemd, a container.

# skep_run PROCESS [--SETTING=VALUE …]: becomes the process.
skep_run() {
  local name=${1:-}
  main_class "$name" >/dev/null || die "there is no process '$name': skepd, edge, or one service"
  shift
  skep_build
  find_jdk
  local cache=()
  cache_options "$name"
  # shellcheck disable=SC2046 # the options are words
  exec "$JAVA_HOME/bin/java" "${cache[@]+"${cache[@]}"}" $(jvm_options "$name") -cp "$BUILD/lib/*" "$(main_class "$name")" "$@"
}

# cache_options PROCESS: sets cache, the options for its start-up cache.
cache_options() {
  local file
  file=$BUILD/$(cache_of "$1").aot
  cache=()
  [ ! -f "$file" ] || mapfile -t cache < <(with_cache "$file")
}

# skep_admin COMMAND [--SETTING=VALUE …]
skep_admin() { skep_run admin "$@"; }

# skep_replay [--to REVISION] [--whole] [--data DIR] [--store URI] [--log URI] [--store.user=… …]: the event log against the
# store, also beside a daemon that runs. Ends with 0 when they agree, 1 when they differ, 2 when nothing could be compared.
skep_replay() {
  local flags=()
  instance_options "$@"
  set -- "${REST[@]+"${REST[@]}"}"
  while [ $# -gt 0 ]; do
    case $1 in
      --whole | --to=* | --identity=* | --store.*=* | --log.*=*) flags+=("$1") ;;
      --to)
        [ $# -ge 2 ] || die "$1 needs a value"
        flags+=("$1=$2")
        shift
        ;;
      *) die "replay: unknown option '$1'" ;;
    esac
    shift
  done
  flags+=("--data=$DATA")
  [ -z "$STORE" ] || flags+=("--store=$STORE")
  [ -z "$LOG" ] || flags+=("--log=$LOG")
  skep_run replay "${flags[@]}"
}
