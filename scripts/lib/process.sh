# shellcheck shell=bash
# Sourced: processes remembered in a file by pid and start time, so that a pid used again by another
# process is never mistaken for ours, let alone ended.

# start time in clock ticks: field 22 of /proc/PID/stat, counted behind the command name, which may hold spaces
process_start() {
  local text
  text=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  text=${text##*) }
  # shellcheck disable=SC2086 # split into fields on purpose
  set -- $text
  echo "${20}"
}

# remember_process FILE PID
remember_process() { printf '%s %s\n' "$2" "$(process_start "$2")" >"$1"; }

# remembered_process FILE: prints the pid if that very process still runs, else fails
remembered_process() {
  local pid start
  [ -f "$1" ] || return 1
  read -r pid start <"$1" || return 1
  [ -n "$start" ] && [ "$(process_start "$pid")" = "$start" ] && echo "$pid"
}

# a zombie has ended too: its parent has just not asked yet
process_gone() {
  local state
  state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) || return 0
  [ -z "$state" ] || [ "$state" = Z ]
}
