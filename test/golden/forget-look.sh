say() {
  case $2 in *[[:cntrl:]]*) set -- "$1" 'a name with control characters' ;; esac
  printf '%s\n' "@ $1 $2"
}
refuse() {
  say refused "$1"
  exit 0
}
kib() {
  size=$(du -sk "$1" 2>/dev/null)
  size=${size%%[!0-9]*}
  bytes=$((bytes + ${size:-0}))
}
there() { [ -e "$1" ] || [ -L "$1" ]; }
# never through a link
real_dir() { [ ! -L "$1" ] && [ -d "$1" ]; }
[ -n "$SCRATCH" ] || refuse "\$SCRATCH is not set on the host"
root="${SCRATCH:?}"'/tow line' marker=towline-root.json daemon='0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f'
n='n3' remove=''
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
while case $root in ?*/) ;; *) false ;; esac; do root=${root%/}; done
if ! [ -e "$root" ] && ! [ -L "$root" ]; then echo '@ absent'; exit 0; fi
if [ -L "$root" ] || ! [ -d "$root" ] || ! [ -O "$root" ]; then refuse "$root is not a directory of this account"; fi
cd "$root" 2>/dev/null || refuse "$root cannot be entered"
mark=''
[ ! -L $marker ] && [ -r $marker ] && read -r mark <$marker
case $mark in '{"format":'*'"towline":"root"'*) ;; *) refuse "$root has no marker of Towline: it is left as it is" ;; esac
say root "$PWD"
attempts=0 images=0 objects=0 bytes=0 shared=''
# Consuming the ticket first: what was never started never starts.
attempt() {
  if [ -z "$remove" ]; then attempts=$((attempts + 1)); return; fi
  [ ! -e "$1/ticket" ] || mv "$1/ticket" "$1/cancelled.$n" 2>/dev/null
  # shellcheck disable=SC2034 # read by find_marked
  sid=''
  find_marked "TOWLINE_(ATTEMPT|SUPERVISOR)=$1"
  [ -z "$pids" ] || { say kept "$1"; return; }
  remove_scratch "$1"
  if remove "$1"; then attempts=$((attempts + 1)); else say kept "$1"; fi
}
own_tasks() {
  real_dir "$1" || return 0
  kib "$1"
  cd "$1" || return 0
  for f in * .[!.]*; do
    there "$f" || continue
    case $f in
      .ended)
        [ -z "$remove" ] && continue
        # marks are empty
        find .ended -type f -size 0 -exec rm -f {} + 2>/dev/null
        rmdir .ended 2>/dev/null || say foreign "tasks/$1/$f"
        ;;
      # built, never published
      .[0-9a-z]*.[0-9]*.[0-9a-f]* | .probe.[0-9a-f]*)
        if [ -L "$f" ] || ! [ -O "$f" ]; then say foreign "tasks/$1/$f"; continue; fi
        [ -z "$remove" ] || rm -rf "./$f"
        ;;
      *) if ours "$f"; then attempt "$f"; else say foreign "tasks/$1/$f"; fi ;;
    esac
  done
  cd "$root" || exit 0
  [ -z "$remove" ] || rmdir "tasks/$1" 2>/dev/null
}
for d in images store store/.part kept tasks; do
  if there "$d" && ! real_dir "$d"; then refuse "$root/$d is no directory: look at it, then remove it or put it back"; fi
done
for d in tasks/* tasks/.[!.]*; do
  there "$d" || continue
  case $d in
    "tasks/$daemon") ;;
    tasks/????????-????-????-????-????????????) shared=1; say other "${d#tasks/}" ;;
    *) say foreign "$d" ;;
  esac
done
for d in kept/* kept/.[!.]*; do
  there "$d" || continue
  case $d in
    "kept/$daemon") if real_dir "$d"; then [ -z "$remove" ] || rm -rf "$d"; else say foreign "$d"; fi ;;
    kept/????????-????-????-????-????????????) ;;
    *) say foreign "$d" ;;
  esac
done
if real_dir tasks/"$daemon"; then cd tasks && own_tasks "$daemon"; cd "$root" || exit 0; fi
image() {
  key=${1%.*}
  record=''
  [ ! -L "$key.json" ] && [ -r "$key.json" ] && read -r record <"$key.json"
  case $record in '{"format":'*'"reference":'*) ;; *) return 1 ;; esac
}
own_images() {
  if [ -n "$remove" ]; then
    sid=''
    find_marked 'TOWLINE_PULL=[^/]*'
    physical=$(pwd -P)
    for pid in $pids; do
      # a pull into another root of the account is no matter of ours
      case $(readlink "/proc/$pid/cwd") in
        "$physical"/*) say kept 'images: a pull is under way'; return ;;
      esac
    done
  fi
  for f in images/* images/.[!.]*; do
    there "$f" || continue
    case $f in
      images/*.sif)
        if [ -L "$f" ] || ! image "$f"; then say foreign "$f"; continue; fi
        images=$((images + 1))
        [ -z "$remove" ] || rm -f "$f" "$key.json"
        ;;
      images/*.json)
        if [ -e "${f%.json}.sif" ] && [ -z "$remove" ]; then continue; fi
        if [ -L "$f" ] || ! image "$f"; then say foreign "$f"; continue; fi
        [ -e "$key.sif" ] || [ -z "$remove" ] || rm -f "$f"
        ;;
      images/.pull-* | images/.old-* | images/.part-*)
        if [ -L "$f" ] || ! [ -d "$f" ]; then say foreign "$f"; continue; fi
        [ -z "$remove" ] || rm -rf "$f"
        ;;
      images/.now.* | images/.asked.* | images/.used.* | images/.use.*)
        if [ -L "$f" ] || ! [ -f "$f" ]; then say foreign "$f"; continue; fi
        [ -z "$remove" ] || rm -f "$f"
        ;;
      *) say foreign "$f" ;;
    esac
  done
}
object() {
  sum=${1%-*}
  [ ${#sum} = 64 ] || return 1
  case $sum in *[!0-9a-f]*) return 1 ;; esac
  case ${1##*-} in [0-7][0-7][0-7][0-7]) ;; *) return 1 ;; esac
}
# an archive of objects, or the directory that it was being unpacked in
pack() {
  case $1 in store/.part/pack-*.*) ;; *) return 1 ;; esac
  [ ! -L "$1" ] && [ -O "$1" ] || return 1
  sum=${1#store/.part/pack-}
  object "${sum%%.*}-0000"
}
own_objects() {
  for f in store/* store/.[!.]* store/.part/* store/.part/.[!.]*; do
    there "$f" || continue
    if pack "$f"; then
      objects=$((objects + 1))
      [ -z "$remove" ] || rm -rf "./$f"
      continue
    fi
    name=${f##*/}
    case $f in
      store/.part) continue ;;
      store/.part/*) name=${name%.*} ;;
    esac
    if [ -L "$f" ] || ! [ -f "$f" ] || ! object "$name"; then say foreign "$f"; continue; fi
    objects=$((objects + 1))
    [ -z "$remove" ] || rm -f "$f"
  done
}
if [ -z "$shared" ]; then
  kib images
  kib store
  own_images
  own_objects
fi
for f in * .[!.]*; do
  there "$f" || continue
  case $f in images | store | kept | tasks | "$marker") ;; ".$marker".* | .probe.*) [ -z "$remove" ] || [ -n "$shared" ] || rm -rf "./$f" ;; *) say foreign "$f" ;; esac
done
if [ -n "$remove" ] && [ -z "$shared" ]; then
  rmdir tasks images kept store/.part store 2>/dev/null
  left=''
  for f in * .[!.]*; do
    there "$f" && [ "$f" != $marker ] && left=1
  done
  # the marker goes last: a root that stays is still known as ours
  if [ -z "$left" ]; then
    rm -f $marker
    cd / && rmdir "$root" && echo '@ gone'
  fi
fi
echo "@ found $attempts $images $objects $bytes"
echo '@ done'