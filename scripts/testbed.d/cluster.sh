# shellcheck shell=bash
# Sourced by scripts/testbed: the small cluster. It is brought up on demand, beside hosts that may be in use by then:
# nothing here touches those.

CLUSTER_LOGINS=(hpc hpc2)
CLUSTER_NODES=(hpcn1 hpcn2)

# Its machines trust each other by one key. What tests set is read at the end of slurm.conf.
cluster_keys() {
  local host
  mkdir -p "$BED/slurm"
  chmod 0755 "$BED/slurm"
  if [ ! -s "$BED/slurm/munge.key" ]; then (umask 077 && head -c 1024 /dev/urandom >"$BED/slurm/munge.key"); fi
  if [ ! -e "$BED/slurm/set.conf" ]; then set_lines; fi
  for host in "${CLUSTER_LOGINS[@]}" "${CLUSTER_NODES[@]}"; do host_identity "$host"; done
}

# in place: the directory is what the containers see, and Slurm complains of an empty file
set_lines() { (umask 022 && printf '%s\n' '# scripts/testbed slurm set' "$@" >"$BED/slurm/set.conf"); }

cluster_runs() { [ "$(docker inspect --format '{{.State.Running}}' "$(container hpc)" 2>/dev/null)" = true ]; }

# both nodes wait for work or have some
cluster_ready() {
  [ "$(docker exec "$(container hpc)" sinfo --noheader --Node --states idle,mixed,allocated,completing --format %N 2>/dev/null | sort -u | wc -l)" \
    -eq "${#CLUSTER_NODES[@]}" ]
}

cluster_up() {
  local host
  stage "cluster"
  set_lines
  for host in "${CLUSTER_LOGINS[@]}" "${CLUSTER_NODES[@]}"; do docker unpause "$(container "$host")" >/dev/null 2>&1 || true; done
  quietly "$BED/up.log" "see $BED/up.log; a port that is taken can be changed: TOWLINE_BED_SSH_PORT" \
    compose --profile hpc up -d --no-deps "${CLUSTER_NODES[@]}"
  quietly "$BED/up.log" "see $BED/up.log" compose --profile hpc up -d --no-deps "${CLUSTER_LOGINS[@]}"
  for host in "${CLUSTER_LOGINS[@]}"; do host_up "$host"; done
  slurm_again
  until_true 120 cluster_ready || die "no idle nodes: $(docker exec "$(container hpc)" sinfo 2>&1 | tail -n 3)" "look at $BED/log/slurmctld.log"
  configuration | write "$BED/towline.ini"
  ready
}

# What a test that was killed may have left.
slurm_again() {
  local host
  for host in hpc "${CLUSTER_NODES[@]}"; do
    docker exec "$(container "$host")" sh -c 'bed-slurm go-on; bed-slurm start' >/dev/null 2>&1 || true
  done
}

slurm_on() { docker exec "$(container "$1")" "${@:2}"; }

controller_answers() { slurm_on hpc scontrol ping 2>/dev/null | grep -q 'is UP'; }

# slurm stop|start|hang|go-on [NODE]; slurm set [KEY=VALUE…]
slurm() {
  local verb=${1:-} machine=${2:-hpc}
  case $verb in
    stop | hang | go-on) slurm_on "$machine" bed-slurm "$verb" ;;
    start)
      slurm_on "$machine" bed-slurm start
      until_true 30 controller_answers || die "slurmctld does not come back" "look at $BED/log/slurmctld.log"
      ;;
    set)
      set_lines "${@:2}"
      slurm_on hpc scontrol reconfigure
      ;;
    *) die "slurm stop, start, hang, go-on or set" "scripts/testbed help" ;;
  esac
}
