# backup, restore, migrate: a cluster into a file, out of it, and to another store.

skep_backup() {
  instance_options "$@"
  set -- "${REST[@]+"${REST[@]}"}"
  [ $# = 1 ] || die "backup: into which file? ./skep backup FILE"
  need_root backup
  skep_build
  moving backup "--file=$(readlink -m "$1")"
}

skep_restore() {
  instance_options "$@"
  set -- "${REST[@]+"${REST[@]}"}"
  [ $# = 1 ] || die "restore: ./skep restore FILE while skepd is stopped; then ./skep up, ./skep restore --pending, ./skep restore --confirm"
  need_root restore
  skep_build
  case $1 in
    --pending) moving pending ;;
    --confirm) moving confirm ;;
    -*) die "restore: unknown option '$1' (--pending, --confirm)" ;;
    *)
      need_skepd_stopped restore
      moving restore "--file=$(readlink -m "$1")"
      ;;
  esac
}

skep_migrate() {
  local to='' log='' access=()
  instance_options "$@"
  set -- "${REST[@]+"${REST[@]}"}"
  while [ $# -gt 0 ]; do
    case $1 in
      --to)
        [ $# -ge 2 ] || die "--to needs the address of a store: etcd://HOST:PORT,…"
        to=$2
        shift
        ;;
      --to=*) to=${1#*=} ;;
      --store.*=* | --log.*=* | --admin-log=* | --client-ca*=*) access+=("$1") ;;
      *) die "migrate: unknown option '$1'" ;;
    esac
    shift
  done
  log=$LOG
  if [ -z "$to" ] || [ -z "$log" ]; then die "migrate: ./skep migrate --to etcd://HOST:PORT,… --log kafka://HOST:PORT,…"; fi
  if [ "$STORE" = "$to" ]; then
    say "this instance is at $to already"
    return 0
  fi
  need_root migrate
  need_skepd_stopped migrate
  skep_build
  moving migrate "--to=$to" "--log=$log" "${access[@]+"${access[@]}"}"
  STORE=$to
  remember_instance
  say "./skep up --no-init starts skepd there"
}

need_skepd_stopped() {
  if supervised skepd || alive skepd; then
    die "skepd is running. Stop it first with ./skep down: containers, names and published ports go on. Then ./skep $1 again."
  fi
}

# The commands read and write the instance's store, or talk to its skepd.
moving() {
  local given=("--data=$DATA" "--run=$RUN")
  [ -z "$STORE" ] || given+=("--store=$STORE")
  # shellcheck disable=SC2046 # the options are words
  "$JAVA_HOME/bin/java" $(jvm_common) -cp "$BUILD/lib/*" "$(main_class moving)" "$@" "${given[@]}" || die "$1 was not done (see above)"
}

# A manager whose store is gone must not found another cluster in its place: that would end what runs.
need_own_store() {
  if [ -z "$STORE" ] && [ ! -f "$DATA/store/store.db" ] && [ ! -f "$DATA/identity/store.properties" ] && grep -qx 'manager=true' "$DATA/membership.properties" 2>/dev/null; then
    die "this machine is a manager, and its store $DATA/store is gone. What runs goes on.
      Bring the state back:  ./skep restore FILE
      or give it all up:     ./skep down --purge"
  fi
}

# The sentence of a cluster that was restored and waits; empty otherwise.
restore_notice() { api_curl /info | grep -o '"Error":"restored from a backup[^"]*' | head -n 1 | cut -d'"' -f4 || true; }
