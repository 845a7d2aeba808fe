# shellcheck disable=SC2016,SC1003,SC2317 # the reaper and the words for the container are texts of their own
stat_of() {
  [ -r "/proc/$1/stat" ] || return 1
  stat='' line=''
  { while IFS= read -r line || [ -n "$line" ]; do stat=$stat$line; done <"/proc/$1/stat"; } 2>/dev/null || return 1
  stat=${stat##*) }
  # shellcheck disable=SC2086 # numbers, to be split
  set -- $stat
  [ $# -ge 20 ] || return 1
  # shellcheck disable=SC2034 # not every text asks for it
  state=$1 start=${20}
}
is_alive() {
  stat_of "$1" && [ "$start" = "$2" ] && [ "$state" != Z ] && [ "$state" != X ]
}
attend() {
  stat_of "$$"
  since=$start
  session_of_stat "$stat"
  stat_of "$leader" || leader=$$
  stat_of "$leader"
  parent_of_stat "$stat"
  (
    export TOWLINE_EXEC_REAPER="$TOWLINE_EXEC"
    set -- "$TOWLINE_EXEC" "$$" "$since" "$leader" "$parent"
    # by these it would find itself
    unset TOWLINE_EXEC TOWLINE_ATTEMPT
    exec setsid sh -c "$reaper" towline-reaper "$@"
  ) </dev/null >/dev/null 2>&1 &
  beside=$!
  # caught, not ignored: what is started gets them as ever
  trap : INT QUIT TERM
  "$@"
  code=$?
  # its group: the sleep in it, too
  kill -TERM "-$beside" 2>/dev/null || kill -TERM "$beside" 2>/dev/null
  exit "$code"
}
session_of_stat() {
  # shellcheck disable=SC2086 # numbers, to be split
  set -- $1
  leader=$4
}
parent_of_stat() {
  # shellcheck disable=SC2086 # numbers, to be split
  set -- $1
  parent=$2
}
TOWLINE_EXEC=n1
reaper='stat_of() {
  [ -r "/proc/$1/stat" ] || return 1
  stat='\'''\'' line='\'''\''
  { while IFS= read -r line || [ -n "$line" ]; do stat=$stat$line; done <"/proc/$1/stat"; } 2>/dev/null || return 1
  stat=${stat##*) }
  # shellcheck disable=SC2086 # numbers, to be split
  set -- $stat
  [ $# -ge 20 ] || return 1
  # shellcheck disable=SC2034 # not every text asks for it
  state=$1 start=${20}
}
is_alive() {
  stat_of "$1" && [ "$start" = "$2" ] && [ "$state" != Z ] && [ "$state" != X ]
}
find_marked() {
  pids='\'''\'' word=$1
  # a dot of the token would match any character
  while case $word in *.*) ;; *) false ;; esac; do pids=$pids${word%%.*}'\''[.]'\'' word=${word#*.}; done
  word=$pids$word pids='\'''\'' asked=0 some='\''[0-9]'\''
  found=$(grep_marked) || asked=$?
  if [ "$asked" -gt 2 ]; then
    for some in 1 2 3 4 5 6 7 8 9; do found="$found $(grep_marked)"; done
  fi
  # shellcheck disable=SC2086 # names under /proc have no spaces
  set -- $found
  for file; do
    file=${file#/proc/}
    pids="$pids ${file%/*}"
  done
}
# In a subshell. $some is a pattern for the first digit.
grep_marked() {
  # shellcheck disable=SC2086
  exec grep -lszE -e "^$word\$" ${sid:+-e "\) [^ZX] [0-9]+ [0-9]+ $sid [^)]*\$"} \
    /proc/$some*/environ ${sid:+/proc/$some*/stat}
}
nap() {
  sleep 0.05 2>/dev/null || sleep 1
}
parent_of() {
  stat_of "$1" || return 1
  # shellcheck disable=SC2086 # numbers, to be split
  set -- $stat
  parent=$2
}
main() {
  told='\'''\'' nonce=$1 main=$2 since=$3 leader=$4 above=$5
  trap '\''told=1'\'' USR1
  while [ -z "$told" ] && is_alive "$main" "$since" && parent_of "$leader" && [ "$parent" = "$above" ]; do
    sleep 1 &
    wait "$!"
  done
  trap '\'''\'' HUP TERM
  for how in HUP TERM KILL KILL KILL; do
    looks=0
    while sid=$leader; find_marked "TOWLINE_EXEC=$nonce"; [ -n "$pids" ] && [ "$looks" -lt 20 ]; do
      # shellcheck disable=SC2086 # pids, to be split
      [ "$looks" -gt 0 ] || kill "-$how" $pids 2>/dev/null
      looks=$((looks + 1))
      nap
    done
  done
}
main "$@"'
is_alive 42 7 || { echo 'towline: the command of the task has ended just now' >&2; exit 125; }
words=$(LC_ALL=C sed -z -n "s/'/'\\\\''/g; s/^[A-Za-z_][A-Za-z0-9_]*=.*/'&'/p" /proc/42/environ | tr '\0' ' ')
eval "set -- $words"
set -- "$(($# + 1))" "$@" 'TOWLINE_EXEC=n1'
attend env -i "$(command -v nsenter)" --preserve-credentials -U -m -t 42 \
  /bin/sh -c 'TOWLINE_LEFT=$1; shift; while [ "$TOWLINE_LEFT" -gt 0 ]; do case $1 in UID=*|EUID=*|PPID=*|BASHOPTS=*|SHELLOPTS=*|TOWLINE_LEFT=*) ;; *) export "$1" ;; esac; shift; TOWLINE_LEFT=$((TOWLINE_LEFT - 1)); done; unset TOWLINE_LEFT; [ -z "$TOWLINE_CRLF" ] || { TOWLINE_CR=$(printf "\r"); eval "$TOWLINE_CRLF"; unset TOWLINE_CRLF TOWLINE_CR; }; cd /mnt/task/work; unset OLDPWD; exec "$@"' sh "$@" 'echo' 'it'\''s' '$HOME'