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
