# shellcheck disable=SC2016 # the job is a text of its own
dir="${HOME:?}"'/.towline/images' key='registry_5000_mini_1-0123456789abcdef0123456789abcdef'
case $dir/ in '/home/alice/.towline'/*) ;; *) umask "${TOWLINE_UMASK:-077}" ;; esac
mkdir -p "$dir"
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
every='' auth='{"auths":{"registry:5000":{"auth":"YTpi"}}}' min_free=1024
read_clock() {
  read -r now _ </proc/uptime
  now=${now%.*}${now#*.}
  while case $now in 0?*) ;; *) false ;; esac; do now=${now#0}; done
}
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
text='stat_of() {
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
read_clock() {
  read -r now _ </proc/uptime
  now=${now%.*}${now#*.}
  while case $now in 0?*) ;; *) false ;; esac; do now=${now#0}; done
}
is_whole() {
  [ "$(head -c 41 image.sif | tail -c 9)" = SIF_MAGIC ] || return 1
  # shellcheck disable=SC2046 # two numbers
  set -- $(od -An -t d8 -j 112 -N 16 image.sif) "$(wc -c <image.sif)"
  # an od without 8-byte numbers cannot tell
  [ $# -eq 3 ] || return 0
  [ "$(($1 + $2))" -eq "$3" ]
}
fenced() {
  [ -e job.sh ] || return 0
  current='\'''\''
  [ ! -s "../.pull-$key/owner" ] || read -r current <"../.pull-$key/owner"
  case $current in '\'''\'' | "1 $n $job "*) return 1 ;; esac
}
beat() {
  trap '\''kill "$napper" 2>/dev/null; exit 0'\'' TERM
  count=0
  read_clock
  end=$((now + timeout))
  while is_alive "$job" "$born"; do
    if fenced; then
      rm -f auth.json
      kill -KILL "-$pull" 2>/dev/null
      exit 0
    fi
    count=$((count + 1))
    echo "$count" >hb
    read_clock
    if [ "$now" -ge "$end" ]; then
      echo "towline: timeout: the pull took longer than $((timeout / 100)) s" >>log
      kill -KILL "-$pull" 2>/dev/null
      exit 0
    fi
    left=$(((end - now + 99) / 100))
    [ "$left" -lt 10 ] || left=10
    sleep "$left" &
    napper=$!
    wait "$napper"
  done
  rm -f auth.json
  kill -KILL "-$pull" 2>/dev/null
}
read_digest() {
  digest=$(tr , '\''\n'\'' <cache/cache/blob/index.json | sed -n '\''s/.*"digest": *"sha256:\([0-9a-f]*\)".*/\1/p'\'')
  # a cache that was taken over may know several
  case $digest in *[!0-9a-f]*) digest='\'''\'' ;; esac
  [ -z "$digest" ] || digest='\'',"digest":"sha256:'\''$digest'\''"'\''
} 2>/dev/null
prime() {
  record='\'''\'' primed='\'''\''
  [ -n "$image" ] && [ -r "../$image.json" ] && read -r record <"../$image.json"
  case $record in *'\''"entry":"'\''*) primed=${record#*'\''"entry":"'\''} primed=${primed%%'\''"'\''*} ;; *) return 0 ;; esac
  case $primed in *[!A-Za-z0-9/.:_-]* | *..* | /* | */ | */*/*) primed='\'''\''; return 0 ;; */*) ;; *) primed='\'''\''; return 0 ;; esac
  [ ! -e "cache/cache/$primed" ] || return 0
  mkdir -p "cache/cache/${primed%/*}"
  ln "../$image.sif" "cache/cache/$primed" || cp "../$image.sif" "cache/cache/$primed"
} 2>/dev/null
# What came by this pull: the one name that is new.
read_entry() {
  entry='\'''\'' count=0
  for f in cache/cache/oci-tmp/* cache/cache/oras/* cache/cache/library/*; do
    if [ ! -f "$f" ] || [ "$f" = "cache/cache/$primed" ]; then continue; fi
    entry=${f#cache/cache/} count=$((count + 1))
  done
  [ "$count" -eq 1 ] || entry='\'''\''
  case $entry in *[!A-Za-z0-9/.:_-]*) entry='\'''\'' ;; esac
  [ -z "$entry" ] || entry='\'',"entry":"'\''$entry'\''"'\''
}
# The same bytes, or by its digest the same image, pulled before its name in the cache was written down.
is_known() {
  case $record in *'\''"sha256":"'\''"$sum"'\''"'\''*) return 0 ;; esac
  [ -n "$digest" ] || return 1
  case $record in *"$digest"*) ;; *) return 1 ;; esac
  [ -z "$entry" ] || { printf '\''%s\n'\'' "${record%\}}$entry}" >known.json && mv known.json "../$image.json"; }
}
publish() {
  is_whole || { echo '\''towline: not a whole SIF'\'' >>log; return 1; }
  sum=$(sha256sum <image.sif) || return 1
  sum=${sum%% *}
  bytes=$(wc -c <image.sif)
  read_digest
  read_entry
  name=$key
  if [ -n "$image" ]; then
    if is_known; then return 0; fi
    name=$key.g$(printf %.16s "$sum")
  fi
  printf '\''{"format":1,"reference":"%s","sha256":"%s","bytes":%s,"at":%s%s%s}\n'\'' \
    "$reference" "$sum" "$bytes" "$(date +%s)" "$digest" "$entry" >image.json || return 1
  chmod 0444 image.sif
  sync image.sif image.json 2>/dev/null || sync
  # IMPORTANT: the record first; the image is ready once it has its name. Neither replaces one that is there.
  if [ ! -e "../$name.sif" ]; then mv image.json "../$name.json" || return 1; fi
  ln image.sif "../$name.sif" || [ -e "../$name.sif" ] || mv image.sif "../$name.sif" || return 1
  [ "$name" = "$key" ] || { echo "$name" >now && mv now "../.now.$key"; }
}
main() {
  n=$1 key=$2 image=$3 runtime=$4 reference=$5 timeout=$6 setup=$7 priority=$8
  shift 8
  read -r job _ </proc/self/stat
  stat_of "$job" && born=$start
  current='\'''\''
  echo "towline: pulling $reference" >>log
  here=$PWD
  # the build in there breaks on quotes, commas and colons in its path
  case $here in
    *[!A-Za-z0-9/._+-]*) tmp=$(mktemp -d /tmp/towline-pull.XXXXXX) && echo "$tmp" >tmpdir ;;
    *) tmp=$here/tmp ;;
  esac
  mkdir -p cache "$tmp"
  prime
  export APPTAINER_CACHEDIR="$here/cache" APPTAINER_TMPDIR="$tmp" TMPDIR="$tmp"
  export SINGULARITY_CACHEDIR="$here/cache" SINGULARITY_TMPDIR="$tmp"
  # it breaks absolute and relative destinations alike
  unset APPTAINER_PULLDIR SINGULARITY_PULLDIR
  eval "$setup" >/dev/null 2>&1 </dev/null
  cd "$here" || exit 1
  gentle='\'''\''
  if [ "$priority" = low ]; then
    if nice -n 19 true; then gentle='\''nice -n 19'\''; fi
    if ionice -c 3 true; then gentle="$gentle ionice -c 3"; fi
  fi 2>/dev/null
  if [ -e auth.json ]; then
    export REGISTRY_AUTH_FILE="$here/auth.json"
    # an old one knows the variable alone
    "$runtime" pull --help </dev/null 2>/dev/null | grep -q -e --authfile && set -- --authfile "$here/auth.json" "$@"
  fi
  # shellcheck disable=SC2086 # words
  setsid $gentle "$runtime" pull "$@" image.sif "$reference" </dev/null >>log 2>&1 &
  pull=$!
  beat &
  beat=$!
  wait "$pull"
  code=$?
  rm -f auth.json
  if [ "$code" -eq 0 ] && fenced; then code=1; fi
  if [ "$code" -eq 0 ]; then publish 2>>log || code=1; fi
  kill -TERM "$beat" 2>/dev/null
  chmod -R u+rwX "$tmp" 2>/dev/null
  rm -rf "$tmp" image.sif image.json
  if [ "$code" -ne 0 ]; then
    rm -f room
    echo "1 $code" >result
    return
  fi
  # by its own name still? then it goes in one step: nobody may write into a directory that is being removed
  cd ..
  [ ! -s ".pull-$key/owner" ] || read -r current <".pull-$key/owner"
  if case $current in "1 $n $job "*) ;; *) false ;; esac; then
    mv ".pull-$key" ".old-$key-$n" && rm -rf ".old-$key-$n"
  fi
}
main "$@"'
run_job() {
  exec setsid sh ./job.sh "$n" "$key" "$image" '/usr/bin/apptainer' 'docker://registry:5000/mini:1' '360000' 'module load apptainer' 'low' '--no-https'
}
current() {
  image=''
  [ ! -s ".now.$key" ] || read -r image <".now.$key"
  case $image in */*) image=$key ;; "$key".g*) ;; *) image=$key ;; esac
  [ -r "$image.sif" ] || image=$key
  [ -r "$image.sif" ]
}
ready() {
  current || return 1
  record='' sum='-' digest='-'
  [ -r "$image.json" ] && read -r record <"$image.json"
  case $record in *'"sha256":"'*) sum=${record#*'"sha256":"'} sum=${sum%%'"'*} ;; esac
  case $record in *'"digest":"'*) digest=${record#*'"digest":"'} digest=${digest%%'"'*} ;; esac
  printf '%s\n' "@ ready $sum $digest $PWD/$image.sif"
}
recent() {
  [ -n "$1" ] && [ "$1" -le "$at" ] && [ $((at - $1)) -lt "$every" ]
} 2>/dev/null
due() {
  case $every in '') return 1 ;; joined) return 0 ;; esac
  asked='' record='' pulled=''
  at=$(date +%s)
  [ ! -s ".asked.$key" ] || read -r asked <".asked.$key"
  current && [ -s "$image.json" ] && read -r record <"$image.json"
  case $record in *'"at":'*) pulled=${record#*'"at":'} pulled=${pulled%%[!0-9]*} ;; esac
  if recent "$asked" || recent "$pulled"; then return 1; fi
}
fresh() {
  [ -n "$every" ] || return 0
  if [ -d "$job" ]; then
    if [ ! -s "$job/result" ] || [ "$every" = joined ]; then return 1; fi
  elif [ "$every" = joined ]; then
    return 0
  fi
  ! due
}
running() {
  true >"$job/seen.$n"
  if [ -n "$every" ] && [ ! -e "$job/cache/cache/blob/oci-layout" ] && current; then
    echo '@ asking'
    return
  fi
  size=$(du -sk "$job")
  echo "@ running ${size%%[!0-9]*}"
} 2>/dev/null
# A builtin writes it, so it stands in no command line.
login() {
  [ -z "$auth" ] || (umask 077 && printf %s "$auth" >"$job/auth.json")
}
# The room that the result will need is taken now: a full disk is told before anything is fetched.
start() {
  # IMPORTANT: looked at again with the lock held: a job may have ended between the first look and the lock
  if ! current; then
    image=''
  elif due; then
    date +%s >".asked.$key"
  else
    rm -rf "$job"
    return
  fi
  # what df tells counts quotas where a file system does
  free=$(df -Pk . 2>/dev/null | sed -n 's/.* \([0-9][0-9]*\)  *[0-9]*% .*/\1/p')
  if [ -n "$free" ] && [ "$free" -lt "$min_free" ]; then
    rm -rf "$job"
    printf '%s\n' '@ failed' "| towline: not enough space in $PWD: $free KiB free, $min_free KiB needed" && exit 0
  fi 2>/dev/null
  if ! { printf '%4095s\n' '' >"$job/room" && printf %s "$text" >"$job/job.sh" && login; }; then
    rm -rf "$job"
    printf '%s\n' '@ failed' '| no space left on device' && exit 0
  fi
  (cd "$job" && TOWLINE_PULL=$key.$n && export TOWLINE_PULL && run_job) </dev/null >/dev/null 2>&1 &
  pid=$! start=0
  stat_of "$pid"
  echo "1 $n $pid $start $boot $machine $host" >"$job/owner"
}
# The heartbeat did not move for a minute of our own clock: no clock of another machine is asked.
unmoved() {
  hb='' seen='' since=''
  [ -s "$job/hb" ] && read -r hb <"$job/hb"
  [ -s "$job/watch.$n" ] && read -r since seen <"$job/watch.$n"
  read_clock
  if [ -n "$since" ] && [ "$seen" = "$hb" ]; then
    [ $((now - since)) -ge 6000 ]
  else
    echo "$now $hb" >"$job/watch.$n"
    false
  fi
} 2>/dev/null
stale() {
  read_owner || { unmoved; return; }
  # another boot of the same machine, or a process that is gone and left no result
  if [ "$owner_place" = "$machine $host" ]; then
    [ "$owner_boot" = "$boot" ] || return 0
    is_alive "$owner_pid" "$owner_start" || { [ -e "$job/owner" ] && [ ! -e "$job/result" ] && return 0; }
  fi
  unmoved
}
# Two may judge it over: the rename has one winner, and who got a fresh job by mistake puts it back.
replace() {
  judged=$owner old=.old-$key-$n
  mv "$job" "$old" 2>/dev/null || return 0
  was=$job job=$old
  read_owner
  job=$was
  if [ "$owner" != "$judged" ]; then
    [ -d "$job" ] || mv "$old" "$job"
    return 0
  fi
  if owned_here; then end_job; fi
  # what was fetched already is not fetched again
  if mkdir "$job" 2>/dev/null; then
    mv "$old/cache" "$job/cache" 2>/dev/null
    start
  fi
  discard "$old"
}
# A failure is told to all who saw the job run; a new wish starts anew.
told() {
  [ -s "$job/result" ] && [ -e "$job/seen.$n" ] || return 1
  echo '@ failed'
  tail -c 3000 "$job/log" | sed 's/^/| /'
}
look() {
  if fresh && ready; then return; fi
  # again where there is none: a job that ends just then takes its directory away
  if mkdir "$job" 2>/dev/null || { [ ! -d "$job" ] && mkdir "$job" 2>/dev/null; }; then
    start
  elif ! [ -d "$job" ]; then
    { fresh && ready; } || printf '%s\n' '@ failed' '| cannot make a directory (no space left on device?)'
    return
  elif told; then
    return
  elif [ -s "$job/result" ]; then
    read_owner
    replace
  elif stale; then
    replace
  fi
  { fresh && ready; } || running
}
look