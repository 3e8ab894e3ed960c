# Builds the daemon into build/: jars, and an ahead-of-time cache that halves the start.

BUILD=$HERE/build

sources_stamp() {
  (cd "$HERE" && find pom.xml proto libs services -path '*/target' -prune -o -path '*/src/test' -prune -o -type f -printf '%p %s %T@\n' | LC_ALL=C sort | sha256sum | cut -c1-32)
}

# skep_build: makes build/lib, unless the sources are those that it was made from.
skep_build() {
  local stamp
  find_jdk
  stamp=$(sources_stamp)-$(jdk_major "$JAVA_HOME")
  [ "$(cat "$BUILD/stamp" 2>/dev/null)" = "$stamp" ] && return
  need_build_tools
  mkdir -p "$BUILD"
  exec 8>"$BUILD/lock"
  flock 8
  if [ "$(cat "$BUILD/stamp" 2>/dev/null)" != "$stamp" ]; then
    step "building (the first time takes a minute or two)"
    maven -q package -Dmaven.test.skip=true -pl services/skepd -am || die "the build failed; the messages are above"
    rm -rf "$BUILD/lib.new"
    mkdir "$BUILD/lib.new"
    cp "$HERE"/services/skepd/target/dist/*.jar "$BUILD/lib.new/"
    unsign_jars "$BUILD/lib.new"
    # A running daemon keeps its open jars: the old folder is moved away, not written over.
    rm -rf "$BUILD/lib.old"
    [ ! -d "$BUILD/lib" ] || mv "$BUILD/lib" "$BUILD/lib.old"
    mv "$BUILD/lib.new" "$BUILD/lib"
    rm -rf "$BUILD/lib.old"
    make_aot_caches
    echo "$stamp" >"$BUILD/stamp"
  fi
  exec 8>&-
}

maven() { (cd "$HERE" && mvn -B -ntp -Dstyle.color=never "$@"); }

# A signed jar costs every process that loads a class of it: it reads and keeps a digest of every entry (9 MiB, and a tenth
# of the start), and its classes may not be in a start-up cache. Nobody asks for these signatures; Maven compared the files.
unsign_jars() {
  local jar work
  for jar in "$1"/*.jar; do
    "$JAVA_HOME/bin/jar" --list --file "$jar" | grep -qE '^META-INF/[^/]*\.SF$' || continue
    work=$(mktemp -d)
    (cd "$work" && "$JAVA_HOME/bin/jar" --extract --file "$jar")
    # the manifest's first section is about the jar, the others are digests
    awk '/^\r?$/ {exit} {print}' "$work/META-INF/MANIFEST.MF" >"$jar.manifest"
    rm -f "$work"/META-INF/*.SF "$work"/META-INF/*.RSA "$work"/META-INF/*.DSA "$work"/META-INF/*.EC "$work/META-INF/MANIFEST.MF"
    "$JAVA_HOME/bin/jar" --create --file "$jar" --manifest "$jar.manifest" -C "$work" .
    rm -rf "$work" "$jar.manifest"
  done
}

make_aot_caches() {
  step "training the start-up cache"
  local main
  for main in skepd edge; do
    train_cache "$JAVA_HOME/bin/java" "$main" "$BUILD/lib/*" "$BUILD"
  done
}

# train_cache JAVA PROCESS CLASSPATH FOLDER [OPTION …]: makes FOLDER/PROCESS.aot by one short life of the process. Without
# it everything works, only later.
train_cache() {
  local java=$1 main=$2 classpath=$3 folder=$4
  shift 4
  rm -f "$folder/$main.aot"
  # shellcheck disable=SC2046 # the options are words
  "$java" -XX:AOTCacheOutput="$folder/$main.aot" $(jvm_options "$main") "$@" -cp "$classpath" "$(main_class "$main")" --rehearse >"$folder/$main.aot.log" 2>&1 ||
    say "    no start-up cache for $main (see $folder/$main.aot.log); it starts slower"
}

# cache_of PROCESS: which of the two caches. A service alone starts with that of skepd, which has lived with the same classes.
cache_of() {
  case $1 in
    edge | ingress-lb | dns-discovery) echo edge ;;
    *) echo skepd ;;
  esac
}

# with_cache FILE: the options for a cache, one a line. Mapped where it was made for, its pages are the file's and shared by all
# processes of the machine; anywhere else each would write 30 MiB of addresses into a copy of its own.
with_cache() { printf '%s\n' "-XX:AOTCache=$1" -XX:+UnlockDiagnosticVMOptions -XX:ArchiveRelocationMode=0 -Xlog:aot=off -Xlog:cds=off; }

main_class() {
  case $1 in
    skepd) echo dev.skep.skepd.SkepdMain ;;
    edge) echo dev.skep.skepd.EdgeMain ;;
    admin) echo dev.skep.skepd.AdminMain ;;
    moving) echo dev.skep.moving.MovingMain ;;
    replay) echo dev.skep.relay.shell.ReplayMain ;;
    control-api) echo dev.skep.controlapi.Main ;;
    orchestrator | allocator | scheduler | dispatcher | relay | agent) echo "dev.skep.$1.Main" ;;
    ingress-lb) echo dev.skep.ingress.Main ;;
    dns-discovery) echo dev.skep.dns.Main ;;
    *) return 1 ;;
  esac
}

# Chosen by measurement: load-tests/footprint/README.md.
jvm_common() {
  echo "-XX:+UseSerialGC -XX:+UseCompactObjectHeaders -XX:TieredStopAtLevel=1 -Xss512k -XX:+ExitOnOutOfMemoryError --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -Dio.netty.allocator.numDirectArenas=2 -Dio.netty.allocator.numHeapArenas=1 -Dio.netty.noPreferDirect=false"
}

jvm_options() {
  local common
  common=$(jvm_common)
  case $1 in
    skepd) echo "$common -Xms24m -Xmx160m -XX:MaxDirectMemorySize=64m" ;;
    # What moves users' bytes is worth the better compiler.
    edge | ingress-lb) echo "${common/-XX:TieredStopAtLevel=1 /} -Xms16m -Xmx64m -XX:MaxDirectMemorySize=128m" ;;
    control-api | dispatcher) echo "$common -Xms24m -Xmx128m -XX:MaxDirectMemorySize=64m" ;;
    replay) echo "$common -Xmx1g" ;; # it holds the whole state, twice
    dns-discovery) echo "$common -Xms16m -Xmx48m -XX:MaxDirectMemorySize=64m" ;;
    *) echo "$common -Xms16m -Xmx96m -XX:MaxDirectMemorySize=64m" ;;
  esac
}
