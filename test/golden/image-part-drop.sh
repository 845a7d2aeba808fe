dir="${HOME:?}"'/.towline/images' key='registry_5000_mini_1-0123456789abcdef0123456789abcdef' part='.part-registry_5000_mini_1-0123456789abcdef0123456789abcdef.e3b0c44298fc1c14.0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f.far'
case $dir/ in '/home/alice/.towline'/*) ;; *) umask "${TOWLINE_UMASK:-077}" ;; esac
mkdir -p "$dir"
cd "$dir" || { echo '@ failed the image directory cannot be used'; exit 0; }
ready() {
  [ -r "$key.sif" ] || return 1
  record='' sum='-' digest='-'
  [ -r "$key.json" ] && read -r record <"$key.json"
  case $record in *'"sha256":"'*) sum=${record#*'"sha256":"'} sum=${sum%%'"'*} ;; esac
  case $record in *'"digest":"'*) digest=${record#*'"digest":"'} digest=${digest%%'"'*} ;; esac
  printf '%s\n' "@ ready $sum $digest $PWD/$key.sif"
}
# In a directory that others may write to, nobody has put one there for us.
own_part() {
  [ -d "$part" ] && [ ! -L "$part" ] && [ -O "$part" ]
}
! own_part || rm -rf "$part"
echo '@ done'