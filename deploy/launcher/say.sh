# How the launcher talks: progress on stderr, so that stdout holds only what was asked for.

say() { printf '%s\n' "$*" >&2; }
step() { printf '==> %s\n' "$*" >&2; }
die() {
  printf 'skep: %s\n' "$*" >&2
  exit 1
}
need_root() { [ "$(id -u)" = 0 ] || die "'./skep $1' manages containers, bridges and firewall rules: run it as root (sudo ./skep $1)"; }
