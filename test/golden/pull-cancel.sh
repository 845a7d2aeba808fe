# shellcheck disable=SC2016 # the job is a text of its own
dir="${HOME:?}"'/.towline/images' key='registry_5000_mini_1-0123456789abcdef0123456789abcdef'
true
cd "$dir" || { printf '%s\n' '@ failed' "| cannot use the directory $dir"; exit 0; }
job=.pull-$key
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
nap() {
  sleep 0.05 2>/dev/null || sleep 1
}
n='n1'
discard() {
  [ -s "$1/tmpdir" ] && read -r tmp <"$1/tmpdir" && case $tmp in
    /tmp/towline-pull.*/*) ;;
    /tmp/towline-pull.*) [ -L "$tmp" ] || { chmod -R u+rwX "$tmp"; rm -rf "$tmp"; } ;;
  esac 2>/dev/null
  # the image that is there may have a further name in here
  rm -f "$1"/cache/cache/*/* 2>/dev/null
  chmod -R u+rwX "$1" 2>/dev/null
  rm -rf "$1"
}
machine='-'
read -r boot </proc/sys/kernel/random/boot_id
[ -r /etc/machine-id ] && read -r machine </etc/machine-id
read -r host </proc/sys/kernel/hostname
# Sets $owner and its words; fails when the job has none yet.
read_owner() {
  owner=''
  [ -s "$job/owner" ] && read -r owner <"$job/owner"
  # shellcheck disable=SC2086 # words
  set -- $owner
  [ $# -eq 7 ] && [ "$1" = 1 ] || return 1
  # shellcheck disable=SC2034 # not every text asks for all
  owner_n=$2 owner_pid=$3 owner_start=$4 owner_boot=$5 owner_place="$6 $7"
}
owned_here() {
  [ -n "$owner" ] && [ "$owner_place" = "$machine $host" ] && [ "$owner_boot" = "$boot" ]
}
# Everything of that job on this machine, its children in other sessions included.
end_job() {
  sid='' looks=0
  # twice: a process in the middle of an exec shows no environment
  while [ "$looks" -lt 2 ]; do
    find_marked "TOWLINE_PULL=$key.$owner_n"
    looks=$((looks + 1))
    # shellcheck disable=SC2086 # pids
    [ -z "$pids" ] || { looks=0; kill -KILL $pids 2>/dev/null; }
    nap
  done
}
if mv "$job" ".old-$key-$n" 2>/dev/null; then
  job=.old-$key-$n
  read_owner
  tries=0
  # again, when something of it was missed and still writes there
  while [ -e "$job" ] && [ "$tries" -lt 20 ]; do
    tries=$((tries + 1))
    if owned_here; then end_job; fi
    discard "$job" 2>/dev/null
  done
fi
echo '@ ended'