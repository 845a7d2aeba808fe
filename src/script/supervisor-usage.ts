/**
 * Part of sup.sh: what the payload used, as the kernel counts it for the leader and all that it waited for. It costs
 * no process. What was killed together with its parent is in no count, and nobody counts the memory of a process that
 * has ended: the record has room for its peak, and says null.
 */

/**
 * `begin_usage` notes where the counts stand, `end_usage` sets $usage to the JSON of what was used since, in hundredths
 * of a second (the kernel's tick for programs, everywhere).
 */
export const SUPERVISOR_USAGE = `begin_usage() {
  child_time
  read_clock
  began_at=$now user_before=$child_user system_before=$child_system
}

end_usage() {
  read_clock
  wall=$((now - began_at))
  child_time
  user=$((child_user - user_before)) system=$((child_system - system_before))
  usage="{\\"wall\\":$wall,\\"user\\":$user,\\"system\\":$system,\\"rss\\":null}"
}

# Of children of this shell that were waited for.
child_time() {
  child_user=0 child_system=0
  stat_of "$me" || return
  # shellcheck disable=SC2086 # numbers, to be split
  set -- $stat
  child_user=\${14} child_system=\${15}
}`;
