/**
 * Part of sup.sh: what the payload used. Time and CPU are the kernel's own count for the leader and all that it
 * waited for. Nobody counts the memory of a process that has ended, nor what one used that was killed together with
 * its parent, so a sampler looks at the living: with builtins, one `sleep` a look, more and more rarely.
 */

/**
 * `begin_usage` notes where the counts stand, `end_usage` sets $usage to the JSON of what was used since: hundredths of a
 * second (the kernel's tick for programs, everywhere), and KiB of the largest process, null when none was seen.
 */
export const SUPERVISOR_USAGE = `begin_usage() {
  cpu_of "$me"
  read_clock
  began_at=$now user_before=$child_user system_before=$child_system
}

end_usage() {
  read_clock
  wall=$((now - began_at))
  cpu_of "$me"
  user=$((child_user - user_before)) system=$((child_system - system_before)) rss=0
  [ ! -s ".usage.$n" ] || read -r user_seen system_seen rss <".usage.$n"
  # who was killed together with its parent is in no count but the sampler's
  [ "$user" -ge "\${user_seen:-0}" ] || user=$user_seen
  [ "$system" -ge "\${system_seen:-0}" ] || system=$system_seen
  [ "$rss" -gt 0 ] || rss=null
  usage="{\\"wall\\":$wall,\\"user\\":$user,\\"system\\":$system,\\"rss\\":$rss}"
}

# Sets $own_user $own_system and $child_user $child_system, of children that were waited for.
cpu_of() {
  own_user=0 own_system=0 child_user=0 child_system=0
  stat_of "$1" || return
  # shellcheck disable=SC2086 # numbers, to be split
  set -- $stat
  own_user=\${12} own_system=\${13} child_user=\${14} child_system=\${15}
}

# Looks until the leader has gone: each second at first, then after a quarter of the time so far, at least once a minute.
watch_usage() {
  exec 3>&- 4>&-
  trap 'kill "$napper" 2>/dev/null; exit 0' TERM
  most_user=0 most_system=0 most_rss=0
  while
    read_clock
    pause=$(((now - began_at) / 400 + 1))
    [ "$pause" -le 60 ] || pause=60
    sleep "$pause" &
    napper=$!
    wait "$napper"
    is_alive "$leader" "$leader_start"
  do
    sample
    # in place: never seen half written
    printf '%-12s %-12s %-12s\\n' "$most_user" "$most_system" "$most_rss" 1<>".usage.$n" 2>/dev/null
  done
}

# One look at the leader and all below it.
sample() {
  users=0 systems=0 level=$leader
  while [ -n "$level" ]; do
    below=''
    for pid in $level; do
      cpu_of "$pid"
      users=$((users + own_user + child_user)) systems=$((systems + own_system + child_system))
      see_memory "$pid"
      for list in "/proc/$pid/task/"*/children; do
        children=''
        # the list has no newline at its end
        { read -r children <"$list"; } 2>/dev/null
        below="$below $children"
      done
    done
    # shellcheck disable=SC2086 # pids, to be split; nothing but spaces is nothing
    set -- $below
    level=$*
  done
  [ "$users" -le "$most_user" ] || most_user=$users
  [ "$systems" -le "$most_system" ] || most_system=$systems
}

# What the runtime itself needs is not the command's. The name is the first line, the peak far below.
see_memory() {
  while read -r word value _; do
    case $word$value in
      Name:starter* | Name:appinit | Name:[Aa]pptainer* | Name:[Ss]ingularity* | Name:squashfuse* | Name:fuse*) return ;;
      VmHWM:*)
        [ "$value" -le "$most_rss" ] || most_rss=$value
        return
        ;;
    esac
  done <"/proc/$1/status"
} 2>/dev/null`;
