cd '/home/alice/.towline' || { echo '@ failed root is away'; exit 0; }
marker=towline-root.json daemon='0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f' n='n4'
images="${SCRATCH:?}"'/images' age=10080 remove=1
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
kib() {
  size=$(du -sk "$1" 2>/dev/null)
  size=${size%%[!0-9]*}
  bytes=$((bytes + ${size:-0} * 1024))
}
wipe() {
  kib "$1"
  count=$((count + 1))
  [ -n "$remove" ] || return 0
  # directories only: a file may be the object that others use
  find "$1" -type d -exec chmod u+rwx {} \; 2>/dev/null
  rm -rf "$1"
}
said() { echo "@ found $1 $count $bytes"; }
object() {
  # shellcheck disable=SC2046 # two numbers
  set -- "$1" $(stat -c '%h %s' "$1" 2>/dev/null)
  [ "$2" = 1 ] || return 0
  if [ -n "$remove" ]; then
    mv "$1" ".gone-$n-$1" 2>/dev/null || return 0
    if [ "$(stat -c %h ".gone-$n-$1")" != 1 ]; then
      ln ".gone-$n-$1" "$1" 2>/dev/null
      rm -f ".gone-$n-$1"
      return 0
    fi
    rm -f ".gone-$n-$1"
  fi
  count=$((count + 1)) bytes=$((bytes + $3))
}
objects() {
  count=0 bytes=0 seen=0
  while IFS= read -r f; do
    f=${f#./}
    case $f in
      .gone-*) [ -z "$remove" ] || rm -f "./$f" ;;
      *[!0-9a-f-]*) ;;
      *)
        [ "${#f}" -eq 69 ] || continue
        seen=$((seen + 1))
        [ "$seen" -le 2000 ] || break
        object "$f"
        ;;
    esac
  done
  said objects
  [ "$seen" -le 2000 ] || echo '@ more'
}
each() {
  count=0 bytes=0
  while IFS= read -r f; do
    f=${f#./}
    case $1/$f in
      parts/*[!0-9a-f]*-[0-7][0-7][0-7][0-7]."$daemon") ;;
      parts/*-[0-7][0-7][0-7][0-7]."$daemon") wipe "./$f" ;;
      parts/pack-[0-9a-f]*."$daemon" | parts/pack-[0-9a-f]*."$daemon".d.*) wipe "./$f" ;;
      unpublished/.ended) ;;
      unpublished/.[0-9a-z]*.[0-9]*.[0-9a-f]* | unpublished/.probe.[0-9a-f]*) wipe "./$f" ;;
      root/.probe.[0-9]* | root/."$marker".[0-9]*) wipe "./$f" ;;
      marks/*) count=$((count + 1)); [ -z "$remove" ] || rm -f "./$f" ;;
    esac
  done
  case $1 in root) said unpublished ;; *) said "$1" ;; esac
}
# Of jobs: each goes with the last of its attempts, but for one that another took the place of.
batches() {
  count=0 bytes=0
  while IFS= read -r f; do
    f=${f#./} needed=''
    if [ -r "$f/map" ]; then
      while read -r member _; do
        [ ! -e "../$member" ] || needed=1
      done <"$f/map"
    fi
    [ -n "$needed" ] || wipe "./$f"
  done
  said unpublished
}
pulls() {
  count=0 bytes=0
  for f in .old-* .pull-* .part-*; do
    if [ -L "$f" ] || ! [ -d "$f" ] || ! [ -O "$f" ]; then continue; fi
    case $f in
      .old-*) [ -n "$(find "$f" -prune -mmin +1440 2>/dev/null)" ] || continue ;;
      # sent by another host, and given up: the file is written to as long as somebody is at it
      .part-*)
        [ -n "$(find "$f" -prune -mmin +1440 2>/dev/null)" ] || continue
        [ -z "$(find "$f" ! -name . -mmin -1440 2>/dev/null)" ] || continue
        ;;
      # it failed, and nobody asked for the image again
      *)
        [ -s "$f/result" ] || continue
        [ -n "$(find "$f/result" -mmin "+$age" 2>/dev/null)" ] || continue
        if [ -n "$remove" ]; then
          mv "$f" ".old-${f#.pull-}-$n" 2>/dev/null || continue
          # another job had its name by then
          if ! [ -s ".old-${f#.pull-}-$n/result" ]; then mv ".old-${f#.pull-}-$n" "$f"; continue; fi
          f=.old-${f#.pull-}-$n
        fi
        ;;
    esac
    kib "$f"
    count=$((count + 1))
    [ -z "$remove" ] || discard "$f"
  done
  said pulls
}
me=$(id -u)
mark=''
[ ! -L "$marker" ] && [ -r "$marker" ] && read -r mark <"$marker"
case $mark in '{"format":'*'"towline":"root"'*) ;; *) echo '@ failed root is not ours'; exit 0 ;; esac
# a look into a directory of ours only, never through a link
inside() {
  if [ -L "$1" ] || ! [ -d "$1" ]; then return 1; fi
  cd "$1" || return 1
}
root=$PWD
if inside store; then
  find . ! -name . -prune -type f -user "$me" -links 1 -cmin "+$age" 2>/dev/null | objects
  if inside .part; then
    find . ! -name . -prune \( -type f -o -type d \) -user "$me" -mmin "+$age" 2>/dev/null | each parts
  fi
fi
cd "$root" || exit 0
if inside tasks && inside "$daemon"; then
  find . ! -name . -prune -name '.*' -type d -user "$me" -mmin +1440 2>/dev/null | each unpublished
  if (inside .jobs); then
    (cd .jobs && find . ! -name . -prune -type d -user "$me" -mmin +1440 2>/dev/null | batches)
  fi
  # marks older than any launch that could still come
  if inside .ended; then
    find . ! -name . -prune -type f -size 0 -user "$me" -mtime +60 2>/dev/null | each marks
  fi
fi
cd "$root" || exit 0
find . ! -name . -prune -name '.*' -user "$me" -mmin +1440 2>/dev/null | each root
# shellcheck disable=SC2164 # a subshell that has no such directory says nothing
(cd "$images" 2>/dev/null && pulls)
echo '@ done'