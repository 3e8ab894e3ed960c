# run, admin: one process in the foreground, for whoever watches processes already: systemd, a container.

# skep_run PROCESS [--SETTING=VALUE …]: becomes the process.
skep_run() {
  local name=${1:-}
  main_class "$name" >/dev/null || die "there is no process '$name': skepd, edge, or one service"
  shift
  skep_build
  find_jdk
  local cache=()
  [ ! -f "$BUILD/$name.aot" ] || cache=(-XX:AOTCache="$BUILD/$name.aot" -Xlog:aot=off -Xlog:cds=off)
  # shellcheck disable=SC2046 # the options are words
  exec "$JAVA_HOME/bin/java" "${cache[@]+"${cache[@]}"}" $(jvm_options "$name") -cp "$BUILD/lib/*" "$(main_class "$name")" "$@"
}

# skep_admin COMMAND [--SETTING=VALUE …]
skep_admin() { skep_run admin "$@"; }
