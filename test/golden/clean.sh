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
ours() {
  spec=''
  if [ -L "$1" ] || ! [ -d "$1" ] || ! [ -O "$1" ]; then return 1; fi
  if ! [ -e "$1/spec.json" ]; then
    # a grave of a cancel, or what an earlier clean left
    for seen in "$1"/cancelled.* "$1"/killed.* "$1"/.cleaning; do [ -e "$seen" ] && return 0; done
    return 1
  fi
  read -r spec <"$1/spec.json"
  case $spec in '{"format":'*'"token":"'"$1"'"'*) ;; *) return 1 ;; esac
}
# The signs that it uses images go with it.
remove_use() {
  [ -s "$1/image-use" ] || return 0
  while IFS= read -r use; do
    case $use in /*/.use.*."$1") rm -f "$use" ;; esac
  done <"$1/image-use"
}
# What a task made read-only is still ours to remove. Directories only: a file may be the object that others use.
remove() {
  remove_use "$1"
  true >"$1/.cleaning"
  rm -rf "$1" 2>/dev/null
  if [ -d "$1" ]; then
    find "$1" -type d -exec chmod u+rwx {} \; 2>/dev/null
    rm -rf "$1"
  fi
  [ ! -e "$1" ]
}
# A directory of the task's own tmp_dir: the name ends in the token, and it is no link.
remove_scratch() {
  [ -s "$1/scratch" ] || return 0
  IFS= read -r scratch <"$1/scratch"
  case $scratch in /*/towline-"$1") ;; *) return 0 ;; esac
  if [ -L "$scratch" ] || ! [ -d "$scratch" ] || ! [ -O "$scratch" ]; then return 0; fi
  chmod -R u+rwX "$scratch" 2>/dev/null
  rm -rf "$scratch"
}
remove_batch() {
  [ -n "$1" ] && [ -e ".jobs/$1/map" ] || return 0
  while read -r member _; do
    [ ! -e "$member" ] || return 0
  done <".jobs/$1/map"
  rm -rf ".jobs/$1"
}
clean() {
  # what a loss of power left of a grave
  [ -e "$1/spec.json" ] || rmdir "$1" 2>/dev/null
  if ! [ -e "$1" ] && ! [ -L "$1" ]; then
    if true >".ended/$1"; then echo "@ cleaned $1"; else echo "@ failed $1 no-mark"; fi
    return
  fi
  ours "$1" || { echo "@ failed $1 not-ours"; return; }
  # a loss of power brings back the ticket that a cancel took: it is taken again, nothing starts any more
  mv "$1/ticket" "$1/cancelled.clean" 2>/dev/null
  [ ! -e "$1/ticket" ] || { echo "@ failed $1 not-started"; return; }
  sid=''
  find_marked "TOWLINE_(ATTEMPT|SUPERVISOR)=$1"
  [ -z "$pids" ] || { echo "@ busy $1"; return; }
  # IMPORTANT: the mark before the removal; a launch looks for it after it has published
  true >".ended/$1" || { echo "@ failed $1 no-mark"; return; }
  size=$(du -sk "$1" 2>/dev/null)
  size=${size%%[!0-9]*}
  batch=''
  [ ! -s "$1/job" ] || read -r batch _ <"$1/job"
  case $batch in '' | [!A-Za-z0-9]* | *[!A-Za-z0-9._-]*) batch='' ;; esac
  remove_scratch "$1"
  if remove "$1"; then
    remove_batch "$batch"
    echo "@ cleaned $1 ${size:-0}"
  else 
    echo "@ failed $1 not-removed"
  fi
}
[ -r '/home/alice/.towline/towline-root.json' ] || { echo '@ away'; exit 0; }
mkdir -p '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/.ended'
cd '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f' || { echo '@ away'; exit 0; }
set -- 'k3f9a2.1'
for T; do clean "$T"; done
find .ended -type f -mtime +60 -exec rm -f {} + 2>/dev/null
echo '@ done'