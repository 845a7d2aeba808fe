# shellcheck shell=bash
# Sourced by the fake commands of Slurm: where they keep what, who may write, faults, and the records of jobs.
# It is a fake: jobs really run, as processes of whoever calls, but nothing is scheduled, limited or measured.

FAKE=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
STATE=$FAKE/state
# sbatch, squeue and so on
COMMAND=${0##*/}
# the job in hand; its fields are described in take_job
declare -gA J=()
# settings, which a test changes with `control set`
declare -gA SET=(
  [accounting]=off [slots]=1000 [held]=no [kill_wait]=2 [requeue_delay]=0 [min_job_age]=300
  [partitions]='short long' [max_array]=1001 [first_id]=1 [version]='slurm-wlm 26.05.5'
)

prepare_state() { mkdir -p "$STATE"/{jobs,pending,running,scripts,faults,settings,hanging}; }

read_settings() {
  local file value
  for file in "$STATE"/settings/*; do
    if [ -f "$file" ] && read -r value <"$file"; then SET[${file##*/}]=$value; fi
  done
}

# one command at a time sees and changes the records
lock() { exec 9>"$STATE/lock" && flock 9; }
unlock() { exec 9>&-; }

# who was asked what: fields end with 0x1f, calls with 0x1e, in one write, so that calls do not mix
record_call() {
  local line
  printf -v line '%s\037' "$COMMAND" "$@"
  printf '%s\036' "$line" >>"$STATE/calls"
}

# FAULT is the next fault of this command that a test has ordered, as a name; empty when there is none
take_fault() {
  local file=$STATE/faults/$COMMAND name count rest=''
  FAULT=
  if [ ! -s "$file" ]; then return; fi
  lock
  while read -r name count; do
    if [ -n "$FAULT" ]; then
      rest+="$name $count"$'\n'
      continue
    fi
    FAULT=$name
    case $count in
      always) rest+="$name always"$'\n' ;;
      1) ;;
      *) rest+="$name $((count - 1))"$'\n' ;;
    esac
  done <"$file"
  printf '%s' "$rest" >"$file"
  unlock
}

# until the caller gives up or the fake is taken away
hang() {
  : >"$STATE/hanging/$$"
  exec sleep 3600
}

say_error() { printf '%s: error: %s\n' "$COMMAND" "$1" >&2; }

# what every command says when the controller is not there
controller_down() {
  case $COMMAND in
    sbatch) say_error "Batch job submission failed: Unable to contact slurm controller (connect failure)" ;;
    squeue | scontrol) echo "slurm_load_jobs error: Unable to contact slurm controller (connect failure)" >&2 ;;
    sinfo) echo "slurm_load_partitions: Unable to contact slurm controller (connect failure)" >&2 ;;
    sacct) say_error "Problem talking to the database: Connection refused" ;;
    *) say_error "Unable to contact slurm controller (connect failure)" ;;
  esac
  exit 1
}

# the faults that all commands have
common_fault() {
  case $FAULT in
    hang) hang ;;
    down) controller_down ;;
  esac
}

# begin ARGUMENT…: what each command does first
begin() {
  prepare_state
  read_settings
  record_call "$@"
  take_fault
  common_fault
}

# Fields of a job: id array index name user state reason partition account qos submit start end exit restarts
# workdir out err append comment cpus mem limit requeue node ending. `array` and `index` are empty for a job that
# is none of an array; `ending` is the state that what runs now is being ended for.
take_job() {
  # shellcheck source=/dev/null
  source "$STATE/jobs/$1" 2>/dev/null
}

keep_job() {
  local field
  {
    printf 'J=('
    for field in "${!J[@]}"; do printf '[%s]=%q ' "$field" "${J[$field]}"; done
    printf ')\n'
  } >"$STATE/jobs/${J[id]}"
  mark "${J[id]}" "${J[state]}"
}

# What waits and what runs is listed apart: with a thousand jobs reading all records at each end would take minutes.
mark() {
  local name state
  printf -v name '%08d' "$1"
  for state in pending running; do
    if [ "$state" = "${2,,}" ]; then : >"$STATE/$state/$name"; elif [ -e "$STATE/$state/$name" ]; then rm "$STATE/$state/$name"; fi
  done
}

marked() {
  local files=("$STATE/$1"/*)
  if [ -e "${files[0]}" ]; then MARKED=("${files[@]##*/}"); else MARKED=(); fi
}

# ids of all jobs in the order of submission
job_ids() {
  local file ids=()
  for file in "$STATE"/jobs/*; do if [ -f "$file" ]; then ids+=("${file##*/}"); fi; done
  if [ "${#ids[@]}" -gt 0 ]; then printf '%s\n' "${ids[@]}" | sort -n; fi
}

is_over() {
  case ${J[state]} in
    PENDING | RUNNING) return 1 ;;
    *) return 0 ;;
  esac
}

# 12, or 12_3 for one of an array
public_id() {
  if [ -n "${J[array]}" ]; then echo "${J[array]}_${J[index]}"; else echo "${J[id]}"; fi
}

# matches WANTED: whether the job in hand is meant by an id as people write it: 12, 12_3, 12_[3-5,7]
matches() {
  local wanted=$1 part
  if [ "$wanted" = "${J[id]}" ] || [ "$wanted" = "$(public_id)" ]; then return 0; fi
  if [ -z "${J[array]}" ] || [ "${wanted%%_*}" != "${J[array]}" ]; then return 1; fi
  if [ "$wanted" = "${J[array]}" ]; then return 0; fi
  wanted=${wanted#*_}
  wanted=${wanted#[}
  for part in $(tr ',' ' ' <<<"${wanted%]}"); do
    if [ "${J[index]}" -ge "${part%-*}" ] && [ "${J[index]}" -le "${part#*-}" ]; then return 0; fi
  done
  return 1
}

# what squeue and scontrol call the state: a job that is being ended is completing
shown_state() {
  if [ "${J[state]}" = RUNNING ] && [ -n "${J[ending]}" ]; then echo COMPLETING; else echo "${J[state]}"; fi
}

# forgotten by the controller after MinJobAge, as by the real one; the accounts keep it
is_forgotten() { is_over && [ $((EPOCHSECONDS - J[end])) -ge "${SET[min_job_age]}" ]; }

# Starts what may start, oldest first; with the lock held. A job that ends may have read the settings long ago.
schedule() {
  local running id
  read_settings
  if [ "${SET[held]}" = yes ]; then return; fi
  marked running
  running=${#MARKED[@]}
  marked pending
  for id in "${MARKED[@]}"; do
    if [ "$running" -ge "${SET[slots]}" ]; then return; fi
    id=$((10#$id))
    take_job "$id"
    if [[ ${J[reason]} =~ ^JobHeld|^BeginTime ]] || waits_for_namesake "$id"; then continue; fi
    start_job
    running=$((running + 1))
  done
}

# --dependency=singleton: one job of a name at a time
waits_for_namesake() {
  local name=${J[name]} id mine=$1 found=1
  if [ "${J[singleton]}" != yes ]; then return 1; fi
  for id in $(job_ids); do
    if [ "$id" -lt "$mine" ] && take_job "$id" && [ "${J[name]}" = "$name" ] && ! is_over; then found=0; fi
  done
  take_job "$mine"
  if [ "$found" -eq 0 ] && [ "${J[reason]}" != Dependency ]; then J[reason]=Dependency && keep_job; fi
  return "$found"
}

start_job() {
  J[state]=RUNNING J[start]=$EPOCHSECONDS J[reason]=None J[node]=fake-n1 J[ending]=
  keep_job
  detached "$FAKE/run-job" "${J[id]}" "${J[restarts]}"
}

# end_job STATE EXIT SIGNAL: what is pending ends at once, what runs is killed first; with the lock held
end_job() {
  if is_over; then return; fi
  if [ "${J[state]}" = PENDING ]; then
    J[state]=$1 J[exit]=0:0 J[end]=$EPOCHSECONDS
    J[start]=$EPOCHSECONDS
    keep_job
    return
  fi
  if [ -n "${J[ending]}" ]; then return; fi
  J[ending]="$1 $2"
  keep_job
  detached "$FAKE/kill-job" "${J[id]}" "${J[restarts]}" "$3"
}

# neither the lock nor the outputs of the caller go with it
detached() { (setsid "$@" </dev/null >/dev/null 2>&1 9>&- &); }
