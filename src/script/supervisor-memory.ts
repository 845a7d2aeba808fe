/** Part of sup.sh: was the command killed for lack of memory? The kernel counts such kills for each control group. */

/**
 * `count_oom_kills` sets $oom_kills to the kills in our own group so far, or to 0 where nobody counts. The
 * group is that of the login or the machine, not of the task: a kill counts for the task only together
 * with a command that ended by KILL.
 */
export const SUPERVISOR_MEMORY = `count_oom_kills() {
  oom_kills=0 group='' old_group=''
  while IFS=: read -r _ controllers path; do
    case $controllers in '') group=$path ;; memory) old_group=$path ;; esac
  done </proc/self/cgroup
  # the last: a container that sees its group at the top
  for counts in "/sys/fs/cgroup$group/memory.events" "/sys/fs/cgroup/memory$old_group/memory.oom_control" \\
    /sys/fs/cgroup/memory/memory.oom_control; do
    [ -r "$counts" ] || continue
    while read -r word count; do [ "$word" != oom_kill ] || oom_kills=$count; done <"$counts"
    return
  done
} 2>/dev/null

# 137: ended by KILL
lacked_memory() {
  [ "$exit_code" = 137 ] || return 1
  kills_before=$oom_kills
  count_oom_kills
  [ "$oom_kills" -gt "$kills_before" ]
}`;
