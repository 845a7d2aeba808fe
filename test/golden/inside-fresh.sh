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
cd '/srv/a:b, "c" $d/it'\''s/tasks/d/k3f9a2.1' || exit 125
eval 'module load apptainer; echo loaded' >/dev/null 2>&1 </dev/null
export APPTAINERENV_V0=''
export APPTAINERENV_V1=' '
export APPTAINERENV_V2='a b'
export APPTAINERENV_V3='two
lines
'
export APPTAINERENV_V4='tab	andreturn'
export APPTAINERENV_V5='it'\''s "quoted"'
export APPTAINERENV_V6='$(touch /tmp/owned)'
export APPTAINERENV_V7='`id`'
export APPTAINERENV_V8='$HOME ${HOME} $$'
export APPTAINERENV_V9='*'
export APPTAINERENV_V10='?[a-z]'
export APPTAINERENV_V11='-rf'
export APPTAINERENV_V12='--'
export APPTAINERENV_V13='a,b=c:d'
export APPTAINERENV_V14='\'
export APPTAINERENV_V15='\n\0'
export APPTAINERENV_V16='%s%n'
export APPTAINERENV_V17='!history'
export APPTAINERENV_V18='~'
export APPTAINERENV_V19='#no comment'
export APPTAINERENV_V20='ünïcödé 漢字 🚢'
export APPTAINERENV_V21='; true'
export APPTAINERENV_V22='&& true || false |'
export APPTAINERENV_V23='<in >out'
export APPTAINERENV_V24=''\''\'\'''\'''
export APPTAINERENV_TOWLINE_TASK='k3f9a2'
export APPTAINERENV_TOWLINE_ATTEMPT='k3f9a2.1'
set -- exec --pwd '/mnt/task/work' \
  --containall --cleanenv --no-eval \
  --home './home:/mnt/task/home' \
  --mount 'type=bind,"src=/srv/a:b, ""c"" $d/it'\''s/tasks/d/k3f9a2.1/work",dst=/mnt/task/work' \
  --mount 'type=bind,"src=/scratch/big one/towline-k3f9a2.1/tmp",dst=/tmp' \
  --mount 'type=bind,"src=/scratch/big one/towline-k3f9a2.1/vartmp",dst=/var/tmp' \
  --mount 'type=bind,"src=/srv/a:b, ""c"" $d/it'\''s/tasks/d/k3f9a2.1/inputs",dst=/mnt/task/inputs,ro' \
  --mount 'type=bind,"src=/scratch/ref genome",dst=/mnt/task/inputs/ref,ro' \
  --mount 'type=bind,"src=/srv/a:b, ""c"" $d/it'\''s/tasks/d/k3f9a2.1/mounts/0",dst=/data,ro' \
  --mount 'type=bind,"src=/srv/a, ""b"" $c:d","dst=/mnt/x y"' \
  '--nv' \
  '/home/alice/.towline/images/mini.sif'
export APPTAINERENV_TOWLINE_EXEC='n1'
export APPTAINERENV_TERM='xterm'
export TOWLINE_EXEC TOWLINE_ATTEMPT='k3f9a2.1'
attend '/usr/bin/apptainer' --silent "$@" '/bin/sh' '-c' '[ -z "$TOWLINE_CRLF" ] || { TOWLINE_CR=$(printf "\r"); eval "$TOWLINE_CRLF"; unset TOWLINE_CRLF TOWLINE_CR; }; exec "$@"' 'sh' 'echo' 'it'\''s' '$HOME'