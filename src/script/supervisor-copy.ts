/** Part of sup.sh: the copier of one stream. */

/**
 * `copy STREAM` appends its stdin to the stream's file until the last writer is gone. The kernel keeps
 * the cap (RLIMIT_FSIZE): a copier that reaches it is ended by SIGXFSZ and nothing else, so that the
 * cap is told from a full disk. An end of its own wakes the supervisor, for the payload is to end too.
 */
export const SUPERVISOR_COPY = `copy() {
  exec >/dev/null 6>&- 7>&-
  stream=$1
  (
    # shellcheck disable=SC3045 # not in POSIX, but in every sh on Linux; SIGXFSZ would leave a core
    ulimit -c 0
    [ "$cap" -eq 0 ] || ulimit -f "$(((cap + 511) / 512))"
    exec cat >>"$stream"
  ) 2>>runtime.log
  copied=$?
  # over the room the claim made: a full disk does not lose it; without a claim there is nothing to tell
  [ ! -e ".copied.$stream.$n" ] || printf '%s\\n' "$copied" 1<>".copied.$stream.$n"
  [ "$copied" -eq 0 ] || wake_supervisor
}`;
