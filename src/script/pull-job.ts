/**
 * The job that pulls one image: detached, in a session of its own, with the directory `.pull-<key>`
 * as working directory. All its names are relative: a job that was frozen, taken for dead and replaced
 * works on in a directory that is not the job any more, and publishes nothing wrong.
 */
import { IS_ALIVE, READ_CLOCK, STAT_OF } from './process-text.ts';
import { CACHE_ENTRY } from './pull-newer.ts';

/** Checks that a file is a SIF and as long as its header says: magic at byte 32, end of data at 112 and 120. */
const CHECK = `is_whole() {
  [ "$(head -c 41 image.sif | tail -c 9)" = SIF_MAGIC ] || return 1
  # shellcheck disable=SC2046 # two numbers
  set -- $(od -An -t d8 -j 112 -N 16 image.sif) "$(wc -c <image.sif)"
  # an od without 8-byte numbers cannot tell
  [ $# -eq 3 ] || return 0
  [ "$(($1 + $2))" -eq "$3" ]
}`;

/** True when another job has taken over while this one was stopped or cut off: what it began it does not finish. */
const FENCED = `fenced() {
  [ -e job.sh ] || return 0
  current=''
  [ ! -s "../.pull-$key/owner" ] || read -r current <"../.pull-$key/owner"
  case $current in '' | "1 $n $job "*) return 1 ;; esac
}`;

/** The lock's heartbeat, the time limit, and the end of a pull whose job was killed or replaced. */
const BEAT = `beat() {
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
}`;

/** Sets $digest, as a part of the record: what the registry calls the image, where the runtime's cache tells it (docker), else nothing. */
const DIGEST = `read_digest() {
  digest=$(tr , '\\n' <cache/cache/blob/index.json | sed -n 's/.*"digest": *"sha256:\\([0-9a-f]*\\)".*/\\1/p')
  # a cache that was taken over may know several
  case $digest in *[!0-9a-f]*) digest='' ;; esac
  [ -z "$digest" ] || digest=',"digest":"sha256:'$digest'"'
} 2>/dev/null`;

const PUBLISH = `publish() {
  is_whole || { echo 'towline: not a whole SIF' >>log; return 1; }
  sum=$(sha256sum <image.sif) || return 1
  sum=\${sum%% *}
  bytes=$(wc -c <image.sif)
  read_digest
  read_entry
  name=$key
  if [ -n "$image" ]; then
    if is_known; then return 0; fi
    name=$key.g$(printf %.16s "$sum")
  fi
  printf '{"format":1,"reference":"%s","sha256":"%s","bytes":%s,"at":%s%s%s}\\n' \\
    "$reference" "$sum" "$bytes" "$(date +%s)" "$digest" "$entry" >image.json || return 1
  chmod 0444 image.sif
  sync image.sif image.json 2>/dev/null || sync
  # IMPORTANT: the record first; the image is ready once it has its name. Neither replaces one that is there.
  if [ ! -e "../$name.sif" ]; then mv image.json "../$name.json" || return 1; fi
  ln image.sif "../$name.sif" || [ -e "../$name.sif" ] || mv image.sif "../$name.sif" || return 1
  [ "$name" = "$key" ] || { echo "$name" >now && mv now "../.now.$key"; }
}`;

const MAIN = `main() {
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
main "$@"`;

/** Text of the job, \`sh job.sh\` with the arguments NONCE KEY IMAGE RUNTIME REFERENCE TIMEOUT_HUNDREDTHS SETUP PRIORITY [pull options…]; IMAGE: what is there already. */
export const PULL_JOB = [
  STAT_OF,
  IS_ALIVE,
  READ_CLOCK,
  CHECK,
  FENCED,
  BEAT,
  DIGEST,
  CACHE_ENTRY,
  PUBLISH,
  MAIN,
].join('\n');
