# shellcheck disable=SC2016,SC1003 # words of the user are not for this shell to expand
if ! cd '/home/alice/.towline' || ! [ -r towline-root.json ]; then echo '@ failed no-root'; exit 0; fi
T='k3f9a2.1' n='n1' part='.k3f9a2.1.n1'
# A builtin does not say why a write failed: a tool is asked to write once more.
fail() {
  case $( { head -c 65536 /dev/zero >".probe.$n"; } 2>&1 ) in
    *[Nn]o\ space* | *[Qq]uota*) set -- nospace ;;
  esac
  rm -rf ".probe.$n" "$part"
  echo "@ failed $1"
  exit 0
}
gone() {
  rm -rf "$part"
  printf '%s\n' "@ $1"
  exit 0
}
link() {
  [ -f "$store/$1" ] || gone "object-gone $1"
  # no links left for this object, or a file system without them
  ln "$store/$1" "$part/$2" 2>/dev/null || cp -p "$store/$1" "$part/$2" || fail no-input
}
# the task may write to its own
copy() {
  [ -f "$store/$1" ] || gone "object-gone $1"
  { cp "$store/$1" "$part/$2" && chmod u+w "$part/$2"; } || fail no-input
}
stub() {
  if [ -d "$1" ]; then
    mkdir "$part/$2" || fail no-input
  else
    true >"$part/$2" || fail no-input
  fi
}
seen() {
  [ -e "$1" ] || gone "input-gone $1"
}
same_content() {
  spec=''
  [ -r "$T/spec.json" ] && read -r spec <"$T/spec.json"
  case $spec in *'"digest":"'"$1"'"'*) ;; *) false ;; esac
}
# A cancel that came first leaves a directory of its own.
differs() {
  for seen in "$T"/cancelled.*; do
    [ -e "$seen" ] && gone cancelled
  done
  gone conflict
}
# The record of whoever won.
already() {
  for go in go.*; do
    record=''
    [ -r "sup.${go#go.}.json" ] && read -r record <"sup.${go#go.}.json"
    [ -n "$record" ] || continue
    # what is told to have started must still be so after a loss of power
    { sync . .. || sync; } 2>/dev/null
    echo "@ already $record"
    return
  done
  for seen in cancelled.*; do
    [ -e "$seen" ] && echo '@ cancelled' && return
  done
  echo '@ lost'
}
present() {
  [ -e "$2" ] || gone "lacks $1"
}
writable() {
  [ -d "$2" ] || gone "lacks $1"
  [ -w "$2" ] || gone "lacks $1"
}
start() {
  cd "$T" || fail no-directory
  line=''
  if [ -e ticket ]; then
    # the shell at the other end of the pipe waits until the supervisor closes it, not until it ends
    line=$(TOWLINE_SUPERVISOR=$T setsid sh ./sup.sh "$n" "$T" "$1" "$2" "$3" </dev/null 2>>runtime.log &)
  fi
  case $line in
    '' | '@ lost') already ;;
    # it did not say whether for lack of room
    '@ failed '*) fail "${line#@ failed }" ;;
    *) echo "$line" ;;
  esac
}
dir='/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f' store='/home/alice/.towline/store'
[ -d "$dir" ] || mkdir -p "$dir" || fail no-directory
cd "$dir" || fail no-directory
[ ! -e ".ended/$T" ] || { echo "@ cancelled"; exit 0; }
if ! [ -d "$T" ] || [ -e "$T/ticket" ]; then
[ -r '/home/alice/.towline/images/mini.sif' ] || { echo '@ image-gone'; exit 0; }
fi
if ! [ -d "$T" ]; then
seen '/scratch/ref genome'
umask "${TOWLINE_UMASK:-077}"
mkdir -p "$part"/'work' "$part"/'home' "$part"/'tmp' "$part"/'vartmp' "$part"/'inputs' "$part"/'inputs/empty' "$part"/'inputs/sub dir' "$part"/'mounts' || fail no-directory
umask 077
printf %s '{"format":1,"digest":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","token":"k3f9a2.1"}
' >"$part"/'spec.json' || fail no-file
printf %s '#!/bin/sh
echo '\''it runs'\''
' >"$part"/'run.sh' || fail no-file
printf %s '#!/bin/sh
' >"$part"/'sup.sh' || fail no-file
printf %s 'echo hello' >"$part"/'command' || fail no-file
for f in ticket stdout stderr runtime.log; do true >"$part/$f" || fail no-file; done
printf '%63s\n' '' >"$part/rc" || fail no-file
chmod 700 "$part" "$part"/'run.sh' || fail no-directory
stub '/scratch/ref genome' 'inputs/ref'
link e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855-0644 'inputs/a.txt'
link e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855-0755 'inputs/sub dir/b.sh'
link e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855-0644 'mounts/0'
link e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855-0600 stdin
{ sync "$part"/* "$part"/'inputs/empty' "$part"/'inputs/sub dir' "$part" || sync; } 2>/dev/null
mv -T "$part" "$T" 2>/dev/null
[ ! -d "$part" ] || rm -rf "$part"
fi
same_content 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' || differs
start 1000000000 60000 0