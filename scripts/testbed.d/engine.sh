# shellcheck shell=bash
# Sourced by scripts/testbed: a container engine that answers, and a compose command that works with it.

COMPOSE=()
ENGINE_LOG=$BED/dockerd.log
ENGINE_PID=$BED/dockerd.pid

engine_answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# A docker client from elsewhere may refuse an older engine; Debian's own client fits Debian's engine.
prefer_matching_client() {
  if engine_answers || [ ! -x /usr/bin/docker ]; then return; fi
  local before=$PATH
  PATH=/usr/bin:$PATH
  if ! engine_answers; then PATH=$before; fi
}

# An engine that was killed, or a machine that was, leaves pid files behind. dockerd takes any process of that
# number for a running engine, a zombie and a stranger included, and does not start.
remove_stale_pid() {
  local file=$1 name=$2 pid
  pid=$(cat "$file" 2>/dev/null) || return 0
  if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != "$name" ] || process_gone "$pid"; then rm -f "$file"; fi
}

# The engine must outlive this script and its terminal, and must not hold the lock (descriptor 9) of `up`.
launch_engine() {
  local options=()
  if [ -n "${TOWLINE_BED_STORAGE_DRIVER:-}" ]; then options+=(--storage-driver "$TOWLINE_BED_STORAGE_DRIVER"); fi
  remove_stale_pid /var/run/docker.pid dockerd
  remove_stale_pid /var/run/docker/containerd/containerd.pid containerd
  note "starting dockerd, log in $ENGINE_LOG"
  setsid nohup dockerd "${options[@]}" </dev/null >"$ENGINE_LOG" 2>&1 9>&- &
  local pid=$!
  remember_process "$ENGINE_PID" "$pid"
  if ! until_true 60 engine_answers_or_gone "$pid" || ! engine_answers; then
    tail -n 15 "$ENGINE_LOG" | sed 's/^/   | /' >&2
    die "dockerd does not come up; its log is $ENGINE_LOG" \
      "mend what the log names; with storage trouble try TOWLINE_BED_STORAGE_DRIVER=vfs scripts/testbed up"
  fi
}

engine_answers_or_gone() { engine_answers || process_gone "$1"; }

start_engine() {
  if [ -d /run/systemd/system ] && systemctl cat docker.service >/dev/null 2>&1; then
    note "starting docker.service"
    quietly "$BED/up.log" "look at: journalctl -u docker" systemctl start docker.service
    until_true 30 engine_answers || die "docker.service is up but does not answer" "look at: docker info"
    return
  fi
  launch_engine
}

engine_up() {
  stage "docker engine"
  need docker docker.io
  # newer Debian has the client in a package of its own
  need docker docker-cli
  prefer_matching_client
  if ! engine_answers; then
    if ! is_root; then
      die "no docker engine answers: $(docker version 2>&1 | tail -n 1)" \
        "start docker, or join its group (usermod -aG docker $(id -un)), or run scripts/testbed up as root"
    fi
    need dockerd docker.io
    # dockerd sets up its bridge with it
    need iptables iptables
    if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then need apparmor_parser apparmor; fi
    start_engine
    prefer_matching_client
  fi
  find_compose
  ready "ready, $(docker info --format '{{.ServerVersion}} on {{.Driver}}'), ${COMPOSE[*]}"
}

find_compose() {
  if docker compose version >/dev/null 2>&1; then
    COMPOSE=(docker compose)
  else
    need docker-compose docker-compose
    COMPOSE=(docker-compose)
  fi
}

engine_down() {
  local pid
  if ! pid=$(remembered_process "$ENGINE_PID"); then
    if engine_answers; then note "the docker engine was not started by this checkout: left running"; fi
    rm -f "$ENGINE_PID"
    return
  fi
  kill "$pid"
  until_true 30 process_gone "$pid" || die "dockerd ($pid) does not stop" "look at $ENGINE_LOG, then: kill -9 $pid"
  rm -f "$ENGINE_PID"
  note "dockerd ($pid) stopped"
}
