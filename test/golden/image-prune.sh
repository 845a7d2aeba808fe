dir='/srv/towline/images' root='/home/alice/.towline' n='n4'
older=86400 remove=1 kept=0 recent=0
used=' registry_5000_mini_1-0123456789abcdef0123456789abcdef ' wanted=' registry_5000_mini_1-0123456789abcdef0123456789abcdef.g0123456789abcdef '
cd "$dir" 2>/dev/null || { echo '@ kept 0 0'; exit 0; }
machine='-' host='' now=$(date +%s)
[ -r /etc/machine-id ] && read -r machine </etc/machine-id
read -r host </proc/sys/kernel/hostname
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
# Attempts of all daemons in this root that have no exit record.
unended=''
for f in "$root"/tasks/*/*/spec.json; do
  if [ -e "${f%/spec.json}/exit.json" ] || ! [ -r "$f" ]; then continue; fi
  line=''
  read -r line <"$f"
  unended="$unended$line"
done
changed() { stat -c %Y "$1" 2>/dev/null || echo 0; }
# True for a sign whose attempt has ended or is gone.
over() {
  where=''
  [ -r "$1" ] && read -r where <"$1"
  case $where in
    "$machine $host "/*)
      where=${where#"$machine $host "}
      [ -e "$where/exit.json" ] || { [ ! -d "$where" ] && [ -d "${where%/*}" ]; }
      ;;
    *) [ $((now - $(changed "$1"))) -gt 34560000 ] ;;
  esac
}
in_use() {
  for f in ".use.$base".????????-????-????-????-????????????.*; do
    [ -e "$f" ] || continue
    over "$f" || return 0
    [ -z "$remove" ] || rm -f "$f"
  done
  false
}
last_use() {
  last=${record#*'"at":'}
  last=${last%%[!0-9]*}
  for f in ".used.$base".????????-????-????-????-????????????; do
    [ -e "$f" ] || continue
    at=$(changed "$f")
    [ "$at" -le "${last:-0}" ] || last=$at
  done
  last=${last:-0}
}
back() {
  [ -e "$base.json" ] || mv ".gone-$n.json" "$base.json"
  ln ".gone-$n.sif" "$base.sif" 2>/dev/null || [ -e "$base.sif" ] || mv ".gone-$n.sif" "$base.sif"
  rm -f ".gone-$n.json" ".gone-$n.sif"
}
# IMPORTANT: first another name, then the signs again: a launch signs before it looks for the image, so it
# is seen here or finds no image and has it pulled anew.
take() {
  mv "$base.json" ".gone-$n.json" 2>/dev/null || return 1
  mv "$base.sif" ".gone-$n.sif" 2>/dev/null || { back; return 1; }
  if in_use; then back; return 1; fi
  rm -f ".gone-$n.json" ".gone-$n.sif" ".used.$base".????????-????-????-????-????????????
  [ "$image" != "$base" ] || rm -f ".now.$key"
  set -- "$key".sif "$key".g*.sif
  if ! [ -e "$1" ] && ! [ -e "$2" ]; then rm -f ".asked.$key"; fi
}
prune() {
  record=''
  if [ -L "$base.sif" ] || ! [ -f "$base.sif" ] || ! [ -O "$base.sif" ]; then return; fi
  [ ! -L "$base.json" ] && [ -r "$base.json" ] && read -r record <"$base.json"
  case $record in '{"format":1,"reference":'*'"at":'*) ;; *) return ;; esac
  key=${base%.g????????????????}
  current
  case $unended in *"/$base.sif\""*) kept=$((kept + 1)); return ;; esac
  case $used in *" $base "*) kept=$((kept + 1)); return ;; esac
  if [ "$image" = "$base" ]; then case $wanted in *" $key "*) kept=$((kept + 1)); return ;; esac; fi
  if in_use; then kept=$((kept + 1)); return; fi
  last_use
  [ $((now - last)) -ge "$older" ] || { recent=$((recent + 1)); return; }
  bytes=$(stat -c %s "$base.sif")
  if [ -n "$remove" ]; then take || { kept=$((kept + 1)); return; }; fi
  printf '%s\n' "@ pruned $bytes $last $PWD/$base.sif" "@ record $record"
}
for base in *.sif; do
  base=${base%.sif}
  prune
done
# what a run that was cut has left
[ -z "$remove" ] || find . ! -name . -prune -type f -name '.gone-*' -mmin +1440 -exec rm -f {} + 2>/dev/null
echo "@ kept $kept $recent"