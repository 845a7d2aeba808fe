key='registry_5000_mini_1-0123456789abcdef0123456789abcdef'
cd '/srv/towline/images' 2>/dev/null || { echo '@ absent'; exit 0; }
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
ready || echo '@ absent'