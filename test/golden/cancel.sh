# shellcheck disable=SC2016 # the killer is a text of its own
ended() {
  echo "@ $1"
  exit 0
}
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
cancelled() {
  for seen in cancelled.*; do [ -e "$seen" ] && ended cancelled-before-start; done
}
# Reads the record of whoever started it.
started_by() {
  record=''
  for go in go.*; do
    [ -r "sup.${go#go.}.json" ] && read -r record <"sup.${go#go.}.json" && return
  done
}
field() {
  value=${record#*"\"$1\":\""}
  value=${value%%\"*}
}
# Another boot or machine: a pid written down there says nothing here.
check_place() {
  machine=''
  read -r boot </proc/sys/kernel/random/boot_id
  [ -r /etc/machine-id ] && read -r machine </etc/machine-id
  read -r host </proc/sys/kernel/hostname
  field machine
  [ "$value" = "$machine" ] || { field hostname; ended "elsewhere $value"; }
  field hostname
  [ "$value" = "$host" ] || ended "elsewhere $value"
  field boot
  [ "$value" = "$boot" ] || { true >"killed.$n"; ended rebooted; }
}
# No room for a grave: a mark takes no block, and a supervisor looks for it when it has the ticket.
bury() {
  if ! { mkdir -p .ended && true >".ended/$T"; }; then ended 'failed no-grave'; fi
  [ -d "$T" ] || ended cancelled-before-start
}
killer_lives() {
  [ -s killer ] || return 1
  read -r killer_pid since <killer
  is_alive "$killer_pid" "$since"
}
T='k3f9a2.1' n='n2' dir='/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f'
[ -r '/home/alice/.towline/towline-root.json' ] || ended 'failed no-root'
[ -d "$dir" ] || mkdir -p "$dir" || ended "failed no-directory"
cd "$dir" || ended "failed no-directory"
[ ! -e ".ended/$T" ] || [ -d "$T" ] || ended cancelled-before-start
if ! [ -d "$T" ]; then
  if ! { mkdir '.k3f9a2.1.n2.grave' && true >'.k3f9a2.1.n2.grave'/"cancelled.$n"; }; then rm -rf '.k3f9a2.1.n2.grave'; bury; fi
  mv -T '.k3f9a2.1.n2.grave' "$T" 2>/dev/null
  rm -rf '.k3f9a2.1.n2.grave' "${T:?}"/'.k3f9a2.1.n2.grave'
fi
cd "$T" || ended "failed no-directory"
mv ticket "cancelled.$n" 2>/dev/null
cancelled
[ ! -e exit.json ] || ended ended
for seen in killed.*; do [ -e "$seen" ] && ended killed; done
started_by
[ -z "$record" ] || check_place
killer_lives && ended killing
setsid sh -c 'stat_of() {
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
seen_leader='\'''\''
session_of_leader() {
  sid='\'''\''
  [ -s leader ] || return 0
  read -r sid since <leader
  if stat_of "$sid"; then
    if [ "$start" = "$since" ]; then seen_leader=$sid; else sid='\'''\''; fi
  elif [ "$sid" != "$seen_leader" ]; then
    sid='\'''\''
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
  kill_at=$((now + $1)) told='\'''\'' calm='\'''\''
  while session_of_leader; find_marked "TOWLINE_ATTEMPT=$token"; [ -n "$pids" ] || [ "$told$calm" = 1 ]; do
    read_clock
    # shellcheck disable=SC2086 # pids, to be split
    if [ -z "$pids" ]; then
      calm=1
    elif [ "$now" -ge "$kill_at" ]; then
      calm='\'''\'' told=1
      kill -KILL $pids
    elif calm='\'''\'' && [ -z "$told" ]; then
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
    sid='\'''\''
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
main "$@"' towline-killer "$n" "$T" 1000 </dev/null >/dev/null 2>&1 &
killer_pid=$!
stat_of "$killer_pid" && echo "$killer_pid $start" >killer
echo '@ killing'