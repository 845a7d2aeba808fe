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
find_marked() {
  pids='' word=$1
  # a dot of the token would match any character
  while case $word in *.*) ;; *) false ;; esac; do pids=$pids${word%%.*}'[.]' word=${word#*.}; done
  word=$pids$word pids='' asked=0 some='[0-9]'
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
seen_leader=''
session_of_leader() {
  sid=''
  [ -s leader ] || return 0
  read -r sid since <leader
  if stat_of "$sid"; then
    if [ "$start" = "$since" ]; then seen_leader=$sid; else sid=''; fi
  elif [ "$sid" != "$seen_leader" ]; then
    sid=''
  fi
}
read_clock() {
  read -r now _ </proc/uptime
  now=${now%.*}${now#*.}
  while case $now in 0?*) ;; *) false ;; esac; do now=${now#0}; done
}
nap() {
  sleep 0.05 2>/dev/null || sleep 1
}
stop_payload() {
  read_clock
  kill_at=$((now + $1)) told='' calm=''
  while session_of_leader; find_marked "TOWLINE_ATTEMPT=$token"; [ -n "$pids" ] || [ "$told$calm" = 1 ]; do
    read_clock
    # shellcheck disable=SC2086 # pids, to be split
    if [ -z "$pids" ]; then
      calm=1
    elif [ "$now" -ge "$kill_at" ]; then
      calm='' told=1
      kill -KILL $pids
    elif calm='' && [ -z "$told" ]; then
      told=1
      for pid in $pids; do
        read -r comm <"/proc/$pid/comm" || continue
        case $comm in squashfuse* | fuse-overlayfs | fuse2fs | gocryptfs) ;; *) kill -TERM "$pid" ;; esac
      done
    fi 2>/dev/null
    nap
  done
}
main() {
  n=$1 token=$2 grace=$3
  read_clock
  patience=$((now + grace + 1500)) looks=0
  while [ "$looks" -lt 2 ]; do
    stop_payload "$grace"
    sid=''
    find_marked "TOWLINE_SUPERVISOR=$token"
    read_clock
    # shellcheck disable=SC2086 # pids, to be split
    if [ -z "$pids" ]; then
      looks=$((looks + 1))
    else
      looks=0
      [ "$now" -lt "$patience" ] || kill -KILL $pids 2>/dev/null
    fi
    nap
  done
  true >"killed.$n"
}
main "$@"