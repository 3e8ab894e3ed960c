# What a fresh Debian machine lacks. Installed once, by package name, and said so.

# find_jdk: sets JAVA_HOME to a JDK 25 or later from JAVA_HOME, PATH or /usr/lib/jvm.
find_jdk() {
  local candidate
  for candidate in "${JAVA_HOME:-}" "$(jdk_of_path)" /usr/lib/jvm/*; do
    if [ -x "$candidate/bin/javac" ] && [ "$(jdk_major "$candidate")" -ge 25 ]; then
      export JAVA_HOME=$candidate
      return
    fi
  done
  if apt-cache show openjdk-25-jdk-headless >/dev/null 2>&1; then
    install_packages openjdk-25-jdk-headless
    for candidate in /usr/lib/jvm/*25*; do
      [ -x "$candidate/bin/javac" ] && export JAVA_HOME=$candidate && return
    done
  fi
  die "no JDK 25 found in JAVA_HOME, PATH or /usr/lib/jvm. Install one (for example Temurin 25) and run this again."
}

jdk_of_path() {
  local javac
  javac=$(command -v javac) || return 0
  dirname "$(dirname "$(readlink -f "$javac")")"
}

# From the file that every JDK has: asking javac takes half a second, and a restart under systemd asks several times.
jdk_major() { sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release" 2>/dev/null | grep . || echo 0; }

# need COMMAND PACKAGE …: installs the packages of the commands that are missing.
need() {
  local missing=()
  while [ $# -gt 0 ]; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1 || missing+=("$2")
    shift 2
  done
  [ ${#missing[@]} = 0 ] || install_packages "${missing[@]}"
}

install_packages() {
  command -v apt-get >/dev/null || die "missing: $*. This machine has no apt-get: install them by hand and run this again."
  [ "$(id -u)" = 0 ] || die "missing packages: $*. Run as root, or: sudo apt-get install $*"
  step "installing $*"
  local log
  log=$(mktemp)
  if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    die "apt-get could not install $*"
  fi
  rm -f "$log"
}

need_build_tools() {
  find_jdk
  need mvn maven
}

# What an agent looks for before it starts.
need_agent_tools() { need nft nftables ip iproute2 conntrack conntrack iptables iptables; }

need_run_tools() {
  need_agent_tools
  need docker docker.io curl curl flock util-linux setsid util-linux
}

# need_engine SOCKET: a Docker engine answers there, and it is not in native swarm mode.
need_engine() {
  local socket=$1
  if ! engine_answers "$socket"; then
    [ "$socket" = /var/run/docker.sock ] || die "no Docker engine answers at unix://$socket. Start it, or choose another with --engine."
    need dockerd docker.io
    start_engine
    local tries=0
    until engine_answers "$socket"; do
      tries=$((tries + 1))
      [ $tries -lt 120 ] || die "the Docker engine was started but does not answer at unix://$socket; see /var/log/docker.log or journalctl -u docker"
      sleep 0.5
    done
  fi
  local state
  state=$(curl -s --max-time 10 --unix-socket "$socket" http://engine/info | grep -o '"LocalNodeState":"[a-z]*"' | cut -d'"' -f4)
  case $state in
    active | pending | locked | error)
      die "the engine at unix://$socket is in native swarm mode ($state). Skep would fight with it over networks and ports.
      Leave it first:  docker -H unix://$socket swarm leave --force   (this ends its services)
      or give Skep an engine of its own with --engine."
      ;;
  esac
}

engine_answers() { curl -s --max-time 5 -o /dev/null --unix-socket "$1" http://engine/_ping; }

start_engine() {
  step "starting the Docker engine"
  if [ -d /run/systemd/system ]; then
    systemctl start docker
  else
    setsid nohup dockerd >>/var/log/docker.log 2>&1 </dev/null &
  fi
}
