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
  current=''
  [ ! -s "../.pull-$key/owner" ] || read -r current <"../.pull-$key/owner"
  case $current in '' | "1 $n $job "*) return 1 ;; esac
}
beat() {
  trap 'kill "$napper" 2>/dev/null; exit 0' TERM
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
  digest=$(tr , '\n' <cache/cache/blob/index.json | sed -n 's/.*"digest": *"sha256:\([0-9a-f]*\)".*/\1/p')
  # a cache that was taken over may know several
  case $digest in *[!0-9a-f]*) digest='' ;; esac
  [ -z "$digest" ] || digest=',"digest":"sha256:'$digest'"'
} 2>/dev/null
prime() {
  record='' primed=''
  [ -n "$image" ] && [ -r "../$image.json" ] && read -r record <"../$image.json"
  case $record in *'"entry":"'*) primed=${record#*'"entry":"'} primed=${primed%%'"'*} ;; *) return 0 ;; esac
  case $primed in *[!A-Za-z0-9/.:_-]* | *..* | /* | */ | */*/*) primed=''; return 0 ;; */*) ;; *) primed=''; return 0 ;; esac
  [ ! -e "cache/cache/$primed" ] || return 0
  mkdir -p "cache/cache/${primed%/*}"
  ln "../$image.sif" "cache/cache/$primed" || cp "../$image.sif" "cache/cache/$primed"
} 2>/dev/null
# What came by this pull: the one name that is new.
read_entry() {
  entry='' count=0
  for f in cache/cache/oci-tmp/* cache/cache/oras/* cache/cache/library/*; do
    if [ ! -f "$f" ] || [ "$f" = "cache/cache/$primed" ]; then continue; fi
    entry=${f#cache/cache/} count=$((count + 1))
  done
  [ "$count" -eq 1 ] || entry=''
  case $entry in *[!A-Za-z0-9/.:_-]*) entry='' ;; esac
  [ -z "$entry" ] || entry=',"entry":"'$entry'"'
}
# The same bytes, or by its digest the same image, pulled before its name in the cache was written down.
is_known() {
  case $record in *'"sha256":"'"$sum"'"'*) return 0 ;; esac
  [ -n "$digest" ] || return 1
  case $record in *"$digest"*) ;; *) return 1 ;; esac
  [ -z "$entry" ] || { printf '%s\n' "${record%\}}$entry}" >known.json && mv known.json "../$image.json"; }
}
publish() {
  is_whole || { echo 'towline: not a whole SIF' >>log; return 1; }
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
  printf '{"format":1,"reference":"%s","sha256":"%s","bytes":%s,"at":%s%s%s}\n' \
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
  current=''
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
  gentle=''
  if [ "$priority" = low ]; then
    if nice -n 19 true; then gentle='nice -n 19'; fi
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
main "$@"