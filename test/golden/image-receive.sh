dir="${HOME:?}"'/.towline/images' key='registry_5000_mini_1-0123456789abcdef0123456789abcdef' part='.part-registry_5000_mini_1-0123456789abcdef0123456789abcdef.e3b0c44298fc1c14.0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f.far'
case $dir/ in '/home/alice/.towline'/*) ;; *) umask "${TOWLINE_UMASK:-077}" ;; esac
mkdir -p "$dir"
cd "$dir" || { echo '@ failed the image directory cannot be used'; exit 0; }
want='e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' newer=''
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
there() {
  [ -n "$newer" ] || { ready; return; }
  current || return 1
  record=''
  [ -r "$image.json" ] && read -r record <"$image.json"
  case $record in *'"sha256":"'"$want"'"'*) ready ;; *) return 1 ;; esac
}
# In a directory that others may write to, nobody has put one there for us.
own_part() {
  [ -d "$part" ] && [ ! -L "$part" ] && [ -O "$part" ]
}
need=4096
if there; then
  ! own_part || rm -rf "$part"
  exit 0
fi
mkdir -m 700 "$part" 2>/dev/null
own_part || { echo '@ failed no directory can be made for the image'; exit 0; }
have=0
[ ! -f "$part/image.sif" ] || have=$(wc -c <"$part/image.sif")
# shellcheck disable=SC2046 # two numbers
set -- $(stat -f -c '%a %S' . 2>/dev/null)
if [ $# -eq 2 ] && [ $(($1 * $2 + have)) -lt "$need" ]; then
  rm -rf "$part"
  echo "@ nospace $(($1 * $2))"
  exit 0
fi
printf '%s\n' "@ part $((have)) $PWD/$part/image.sif"