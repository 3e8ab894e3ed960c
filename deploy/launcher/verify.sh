# check, test, sim and bench. Every suite prints its seconds.

suite() {
  local name=$1 began=$SECONDS
  shift
  step "$name"
  "$@" || die "$name failed after $((SECONDS - began)) s"
  step "$name: $((SECONDS - began)) s"
}

skep_check() {
  local began
  began=$(date +%s)
  need_build_tools
  need_check_tools
  suite "build, unit tests, architecture and style" maven -q -Pcheck verify
  suite "shell scripts" check_scripts
  test_totals "$began"
}

# What the tests without an engine call, and the agents inside them look for.
need_check_tools() {
  need shellcheck shellcheck dig dnsutils
  need_agent_tools
}

check_scripts() { (cd "$HERE" && shellcheck -x skep .ci/run deploy/join.sh deploy/images deploy/infra-images examples/*/prepare && shellcheck -s bash -x -e SC2034,SC2154 deploy/launcher/*.sh); }

skep_test() {
  local long=no
  while [ $# -gt 0 ]; do
    case $1 in
      --long) long=yes ;;
      *) die "test: unknown option '$1'" ;;
    esac
    shift
  done
  need_root test
  need_build_tools
  need_check_tools
  need dockerd docker.io busybox busybox-static etcd etcd-server etcdctl etcd-client
  need unshare util-linux nsenter util-linux setpriv util-linux mount mount ps procps # kill is of procps; a shell has one of its own
  need_run_tools
  local profile=all-tests began
  began=$(date +%s)
  [ $long = no ] || profile=long
  docker compose version >/dev/null 2>&1 || need docker-compose docker-compose
  suite "shell scripts" check_scripts
  skep_build
  suite "all tests ($profile)" maven -q "-P$profile" verify -Dskep.home="$HERE"
  test_totals "$began"
}

# test_totals BEGAN: one closing line over all modules, from the reports that surefire wrote since then (seconds since 1970).
test_totals() {
  (cd "$HERE" && find . -path '*/target/surefire-reports/TEST-*.xml' -newermt "@$1" -print0 | xargs -0 -r sed -n 's/.*<testsuite [^>]*tests="\([0-9]*\)" errors="\([0-9]*\)" skipped="\([0-9]*\)" failures="\([0-9]*\)".*/\1 \2 \3 \4/p') |
    awk '{t += $1; e += $2; s += $3; f += $4} END {printf "%d passed, %d failed, %d skipped\n", t - e - s - f, e + f, s; exit (t == 0)}'
}

skep_sim() {
  need_build_tools
  local skepd=$HERE/services/skepd/target
  step "building the simulator"
  maven -q package -DskipTests -pl services/skepd -am || die "the build failed; the messages are above"
  "$JAVA_HOME/bin/java" -XX:+UseSerialGC -Xmx512m -cp "$skepd/dist/*:$skepd/sim/*" dev.skep.skepd.sim.SimMain "$@"
}

skep_bench() {
  local which=${1:-}
  case $which in
    replicas | edge | footprint | overlay | nodes | placement | services)
      shift
      skep_build
      "$HERE/load-tests/$which/run" "$@"
      ;;
    *) die "bench: which one? replicas, edge, footprint, overlay, nodes, placement or services" ;;
  esac
}
