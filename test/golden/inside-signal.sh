find_marked() {
  pids='' word=$1
  # a dot of the token would match any character
  while case $word in *.*) ;; *) false ;; esac; do pids=$pids${word%%.*}'[.]' word=${word#*.}; done
  word=$pids$word pids=''
  # shellcheck disable=SC2046 # names under /proc have no spaces
  set -- $(grep -lszE -e "^$word\$" ${sid:+-e "\) [^ZX] [0-9]+ [0-9]+ $sid [^)]*\$"} \
    /proc/[0-9]*/environ ${sid:+/proc/[0-9]*/stat})
  for file; do
    file=${file#/proc/}
    pids="$pids ${file%/*}"
  done
}
sid=''
find_marked TOWLINE_EXEC=n1
# shellcheck disable=SC2086 # pids, to be split
[ -z "$pids" ] || kill -INT $pids