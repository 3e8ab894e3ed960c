# What runs inside a host of the lab. Process 1 builds the host around itself, boots its daemons and reaps orphans.

# skep_lab_host LAB NODE: never returns; the host lives as long as this process.
skep_lab_host() {
  local pid
  LAB=$1 NODE=$2 NODE_NAME=${2##*/} LAB_NAME=${1##*/}
  lab_settings
  # /proc is still the machine's: it knows us by the number that others see
  read -r pid _ </proc/self/stat
  lab_host_network
  lab_host_files
  echo "$pid" >"$NODE/init.pid.new"
  mv "$NODE/init.pid.new" "$NODE/init.pid"
  lab_boot
  # orphans become ours; bash reaps them
  while :; do
    sleep infinity &
    wait $! || true
  done
}

lab_host_network() {
  local prefix=${LAB_UNDERLAY#*/}
  hostname "$NODE_NAME"
  ip link set lo up
  ip link add eth0 address "$(lab_mac "${NODE_NAME#node}")" type veth peer name "$NODE_NAME" netns "$LAB_SWITCH"
  ip addr add "$(lab_address "${NODE_NAME#node}")/$prefix" dev eth0
  ip link set eth0 up
  ip -n "$LAB_SWITCH" link set "$NODE_NAME" master br0 up
  ip route add default via "$(lab_address 0)"
}

# The host has its own /run, /var/log, daemons' folders, names and resolver; everything else is this machine's.
lab_host_files() {
  local number
  # a look-up that cannot be answered must fail at once, or every pull waits for time-outs
  echo "nameserver 127.0.0.1" >"$NODE/etc/resolv.conf"
  echo "$NODE_NAME" >"$NODE/etc/hostname"
  {
    echo "127.0.0.1 localhost"
    for number in $(seq "$LAB_NODES"); do echo "$(lab_address "$number") node$number"; done
  } >"$NODE/etc/hosts"
  # a host that boots again is seen by its boot id
  cat /proc/sys/kernel/random/uuid >"$NODE/etc/boot_id"
  mount -t proc proc /proc
  mount --bind "$NODE/etc/boot_id" /proc/sys/kernel/random/boot_id
  lab_host_sysfs
  for number in resolv.conf hostname hosts; do mount --bind "$NODE/etc/$number" "$(readlink -f "/etc/$number")"; done
  # Java names files there by process number, and every host has a process 200
  [ ! -d /tmp/hsperfdata_root ] || mount -t tmpfs tmpfs /tmp/hsperfdata_root
  mount --bind "$NODE/log" /var/log
  mount --bind "$NODE/skep" /var/lib/skep
  mount --bind "$NODE/docker" /var/lib/docker
  mount --bind "$NODE/run" /run
}

# /sys shows the network of whoever mounts it; the control groups below it stay the machine's.
lab_host_sysfs() {
  mkdir -p "$NODE/run/cgroup"
  mount --rbind /sys/fs/cgroup "$NODE/run/cgroup"
  mount -t sysfs sysfs /sys
  mount --rbind "$NODE/run/cgroup" /sys/fs/cgroup
  umount -l "$NODE/run/cgroup"
  rmdir "$NODE/run/cgroup"
}

# What a host starts when it boots, or what of it does not run.
lab_boot() {
  if [ ! -s /run/docker.pid ] || ! kill -0 "$(cat /run/docker.pid)" 2>/dev/null; then
    rm -f /run/docker.pid
    setsid dockerd --host unix:///run/docker.sock --data-root /var/lib/docker --exec-root /run/docker --pidfile /run/docker.pid \
      --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/skep-lab-$LAB_NAME/$NODE_NAME" --label "host=$NODE_NAME" >>/var/log/docker.log 2>&1 </dev/null &
  fi
  [ "$LAB_NATIVE" = no ] || return 0
  lab_boot_store
  # the first one founds the cluster there; the others learn where it is when they join
  if lab_has_kafka; then
    instance_options --store "$(lab_store_uri)" --log "$(lab_log_uri)"
    mapfile -t SETTINGS < <(lab_administrator)
  else
    instance_options
  fi
  remember_instance
  start_supervised edge
  start_supervised skepd
}

# skep_lab_boot LAB NODE: the same inside a host that runs.
skep_lab_boot() {
  LAB=$1 NODE=$2 NODE_NAME=${2##*/} LAB_NAME=${1##*/}
  lab_settings
  lab_boot
}
