# What hosts of a lab with several managers run beside engine, skepd and edge: a member of etcd each, and on node1 Kafka.

# Debian's package is only unpacked: installed, it would start an etcd of this machine's own.
lab_etcd_program() {
  local folder=$BUILD/etcd
  if PATH=$PATH:/usr/sbin:/sbin command -v etcd; then return; fi
  if [ ! -x "$folder/usr/bin/etcd" ]; then
    step "taking etcd out of Debian's etcd-server"
    rm -rf "$folder"
    mkdir -p "$folder"
    (
      cd "$folder"
      apt-get -qq download etcd-server 2>/dev/null || { apt-get -qq update && apt-get -qq download etcd-server; }
      dpkg -x ./*.deb .
    ) >&2 || die "Debian's package etcd-server cannot be had"
  fi
  echo "$folder/usr/bin/etcd"
}

# The programs, before any host boots.
lab_store_tools() {
  local version
  LAB_ETCD=$(lab_etcd_program)
  version=$(grep -m 1 '<kafka.version>' "$HERE/pom.xml")
  mkdir -p "$BUILD"
  exec 8>"$BUILD/lock"
  flock 8
  if [ "$(cat "$BUILD/kafka/stamp" 2>/dev/null)" != "$version" ]; then
    rm -rf "$BUILD/kafka"
    kafka_jars "$BUILD/kafka/lib"
    kafka_logging >"$BUILD/kafka/logback.xml"
    echo "$version" >"$BUILD/kafka/stamp"
  fi
  exec 8>&-
}

# Whether this lab's managers share an etcd, and whether the host NODE_NAME has a member of it.
lab_shared() { [ "$LAB_MANAGERS" -gt 1 ] && [ "$LAB_NATIVE" = no ]; }
lab_has_etcd() { lab_shared && [ "${NODE_NAME#node}" -le "$LAB_MANAGERS" ]; }
lab_has_kafka() { lab_shared && [ "$NODE_NAME" = node1 ]; }

# lab_members PREFIX PORT [NAMED]: for every member PREFIX ADDRESS:PORT, with commas; NAMED yes: nodeN=… each.
lab_members() {
  local number all=''
  for number in $(seq "$LAB_MANAGERS"); do
    all+=,
    [ "${3:-no}" = no ] || all+="node$number="
    all+=$1$(lab_address "$number"):$2
  done
  echo "${all#,}"
}

# Whether they ask everybody who they are, over TLS.
lab_secure() { [ "$LAB_SECURE" = yes ]; }
lab_scheme() { if lab_secure; then echo https; else echo http; fi; }

# Certificates of the servers, before any host boots; what the first manager needs to make users for all of them.
lab_certificates() {
  local number servers=''
  step "making certificates for etcd and Kafka"
  for number in $(seq "$LAB_MANAGERS"); do servers+=,node$number/$(lab_address "$number"); done
  "$HERE/skep" admin certificates "--out=$LAB/tls" "--servers=${servers#,}" >"$LAB/tls.log" 2>&1 || {
    tail -n 5 "$LAB/tls.log" >&2
    die "certificates for etcd and Kafka could not be made; see above"
  }
}

# Of an administrator, whom only the first manager is told.
lab_administrator() {
  local tls=$LAB/tls
  lab_secure || return 0
  printf '%s\n' --store.user=root "--store.password-file=$tls/root.password" "--store.ca=$tls/ca.pem" \
    "--store.certificate=$tls/admin.pem" "--store.key=$tls/admin-key.pem" "--client-ca=$tls/ca.pem" "--client-ca-key=$tls/ca-key.pem" \
    "--log.ca=$tls/ca.pem" "--log.certificate=$tls/admin.pem" "--log.key=$tls/admin-key.pem" "--admin-log=kafka://$(lab_address 1):9094"
}

lab_store_uri() { echo "etcd://$(lab_members '' 2379)"; }
lab_log_uri() { echo "kafka://$(lab_address 1):9092"; }

# ---- inside a host ----

lab_boot_store() {
  if lab_has_etcd && ! lab_daemon_alive etcd; then lab_boot_etcd; fi
  if lab_has_kafka && ! lab_daemon_alive kafka; then lab_boot_kafka; fi
}

lab_daemon_alive() { [ -s "/run/$1.pid" ] && kill -0 "$(cat "/run/$1.pid")" 2>/dev/null; }

lab_boot_etcd() {
  local address scheme tls=$LAB/tls/$NODE_NAME secure=()
  address=$(lab_address "${NODE_NAME#node}")
  scheme=$(lab_scheme)
  if lab_secure; then
    secure=(--cert-file "$tls/server.pem" --key-file "$tls/server-key.pem" --trusted-ca-file "$tls/ca.pem" --client-cert-auth
      --peer-cert-file "$tls/server.pem" --peer-key-file "$tls/server-key.pem" --peer-trusted-ca-file "$tls/ca.pem" --peer-client-cert-auth)
  fi
  mkdir -p "$NODE/etcd"
  chmod 700 "$NODE/etcd"
  setsid "$LAB_ETCD" --name "$NODE_NAME" --data-dir "$NODE/etcd" --initial-cluster-token "skep-lab-$LAB_NAME" \
    --listen-client-urls "$scheme://$address:2379,$scheme://127.0.0.1:2379" --advertise-client-urls "$scheme://$address:2379" \
    --listen-peer-urls "$scheme://$address:2380" --initial-advertise-peer-urls "$scheme://$address:2380" \
    --initial-cluster "$(lab_members "$scheme://" 2380 yes)" "${secure[@]+"${secure[@]}"}" --pre-vote --logger zap --log-level warn >>/var/log/etcd.log 2>&1 </dev/null &
  echo $! >/run/etcd.pid
}

# A broker that is its own controller, as small as it goes.
lab_boot_kafka() {
  local settings=$NODE/etc/kafka.properties
  find_jdk
  mkdir -p "$NODE/kafka"
  cat >"$settings" <<TEXT
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:9093
controller.listener.names=CONTROLLER
log.dirs=$NODE/kafka
num.network.threads=2
num.io.threads=2
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2000
$(lab_kafka_listeners)
TEXT
  setsid "$HERE/skep" lab-kafka "$NODE" "$settings" >>/var/log/kafka.log 2>&1 </dev/null &
  echo $! >/run/kafka.pid
}

# In clear and open to everybody; or users (SCRAM) over TLS, and administrators by certificate at a port of their own.
lab_kafka_listeners() {
  local address tls=$LAB/tls/$NODE_NAME
  address=$(lab_address 1)
  if ! lab_secure; then
    cat <<TEXT
listeners=PLAINTEXT://:9092,CONTROLLER://127.0.0.1:9093
advertised.listeners=PLAINTEXT://$address:9092
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
TEXT
    return
  fi
  cat <<TEXT
listeners=CLIENT://:9092,INTERNAL://:9094,CONTROLLER://127.0.0.1:9093
advertised.listeners=CLIENT://$address:9092,INTERNAL://$address:9094
listener.security.protocol.map=CLIENT:SASL_SSL,INTERNAL:SSL,CONTROLLER:SSL
inter.broker.listener.name=INTERNAL
ssl.keystore.type=PEM
ssl.keystore.location=$tls/keystore.pem
ssl.truststore.type=PEM
ssl.truststore.location=$tls/ca.pem
listener.name.internal.ssl.client.auth=required
listener.name.controller.ssl.client.auth=required
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.client.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:CN=node1;User:CN=admin
TEXT
}

# skep_lab_kafka NODE SETTINGS: becomes the broker.
skep_lab_kafka() {
  local java
  find_jdk
  java=("$JAVA_HOME/bin/java" -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "-Dlogback.configurationFile=$BUILD/kafka/logback.xml" -cp "$BUILD/kafka/lib/*")
  [ -e "$1/kafka/meta.properties" ] || "${java[@]}" kafka.tools.StorageTool format --ignore-formatted -t c2tlcC0tbGFiLS1rYWZrYQ -c "$2"
  exec "${java[@]}" kafka.Kafka "$2"
}

# ---- seen from outside ----

# lab etcd|kafka kill|stop|start|freeze|thaw I
lab_etcd() { lab_store_daemon etcd "$@"; }
lab_kafka() { lab_store_daemon kafka "${1:-}" "${2:-1}"; }

lab_store_daemon() {
  local daemon=$1 what=${2:-}
  lab_node "${3:-}"
  lab_shared || die "lab '$LAB_NAME' has one manager, whose store is its own: no $daemon. Several:  ./skep lab up --nodes 3 --managers 3"
  "lab_has_$daemon" || die "$NODE_NAME has no $daemon: $([ "$daemon" = etcd ] && echo "node1 to node$LAB_MANAGERS have" || echo "node1 has")"
  lab_running
  lab_daemon "$daemon" "$what" || die "lab $daemon kill|stop|start|freeze|thaw I"
  say "$daemon of $NODE_NAME: $what"
  lab_quorum_notice
}

# Members of etcd that run and are on the network, as far as can be seen from here.
lab_members_up() {
  local number up=0
  for number in $(seq "$LAB_MANAGERS"); do
    [ "$(NODE=$LAB/node$number NODE_NAME=node$number lab_cable)" != up ] || [ "$(NODE=$LAB/node$number lab_shows etcd)" != runs ] || up=$((up + 1))
  done
  echo "$up"
}

lab_quorum() { ! lab_shared || [ "$(lab_members_up)" -gt $((LAB_MANAGERS / 2)) ]; }

lab_quorum_notice() {
  lab_quorum || say "    of etcd's $LAB_MANAGERS members $(lab_members_up) can be reached, and $((LAB_MANAGERS / 2 + 1)) are needed: what runs goes on, nothing can be changed, and managers answer 503 until another is back"
}
