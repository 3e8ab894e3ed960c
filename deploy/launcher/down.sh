# down: skepd ends, containers and edge serve on; --edge ends that too; --purge leaves nothing of ours behind.

skep_down() {
  local edge=no purge=no
  instance_options "$@"
  set -- "${REST[@]+"${REST[@]}"}"
  while [ $# -gt 0 ]; do
    case $1 in
      --edge) edge=yes ;;
      --purge)
        edge=yes
        purge=yes
        ;;
      *) die "down: unknown option '$1'" ;;
    esac
    shift
  done
  need_root down
  [ -d "$DATA" ] || { say "nothing to do: there is no instance at $DATA"; return 0; }
  [ $purge = no ] || leave_cluster
  step "stopping skepd"
  stop_supervised skepd
  if [ $edge = yes ]; then
    step "stopping the edge"
    stop_supervised edge
  fi
  if [ $purge = yes ]; then
    purge_instance
  elif [ $edge = no ]; then
    say "containers run on and published ports answer; './skep up' takes them over again"
  fi
}

# A host that goes for good says so: its tasks run elsewhere at once, and nobody gets into the cluster's store as it any more. The
# last manager takes the cluster with it.
leave_cluster() {
  local answer
  [ -f "$DATA/membership.properties" ] || return 0
  # alone with its store: that goes now, too
  if [ -z "$STORE" ] && [ ! -f "$DATA/identity/store.properties" ] && grep -qx 'manager=true' "$DATA/membership.properties"; then return 0; fi
  answer="skepd does not run"
  if api_answers; then
    step "leaving the cluster"
    answer=$(api_curl '/swarm/leave?force=1' -X POST -w '\n%{http_code}' || true)
    [ "${answer##*$'\n'}" != 200 ] || return 0
    answer=${answer%$'\n'*}
  fi
  say "    the cluster could not be told (${answer:-no answer}). Remove this host there: docker node demote, docker node rm."
  if [ -n "$STORE" ]; then say "    If this was the last manager, the cluster's state stays in its store; a new one needs an empty store (etcdctl del --prefix '')."; fi
}

purge_instance() {
  step "removing containers, networks, devices and rules"
  if engine_answers "$ENGINE_SOCKET"; then
    skep_build
    "$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED -cp "$BUILD/lib/*" dev.skep.skepd.PurgeMain \
      "--data=$DATA" "--run=$RUN" "--instance=$INSTANCE" "--engine=$ENGINE" || die "not everything could be removed (see above); run it again"
  else
    die "the engine at $ENGINE does not answer, so our containers cannot be removed. Start it and run this again."
  fi
  rm -rf "$RUN"
  # by name: the folder may have been somebody's before it was ours
  (cd "$DATA" && rm -rf store identity agent edge dispatcher control-api log run launch membership.properties)
  rmdir "$DATA" 2>/dev/null || say "kept $DATA: it holds files that are not ours"
}
