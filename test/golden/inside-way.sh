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
# shellcheck disable=SC3013 # not in POSIX, but in every sh on Linux
same_namespace() {
  [ "/proc/$1/ns/$2" -ef "/proc/self/ns/$2" ]
}
# The first process of the payload: in the leader's session, in other namespaces than ours.
find_target() {
  target='' oldest=''
  [ -s leader ] || return 1
  # shellcheck disable=SC2094 # it is only read
  read -r leader since <leader
  is_alive "$leader" "$since" || return 1
  sid=''
  find_marked "TOWLINE_ATTEMPT=$1"
  for pid in $pids; do
    [ "$pid" != "$leader" ] || continue
    stat_of "$pid" || continue
    [ -z "$oldest" ] || [ "$start" -lt "$oldest" ] || continue
    same_namespace "$pid" mnt && continue
    case $stat in "$state "*" $leader "*) ;; *) continue ;; esac
    target=$pid oldest=$start
  done
  [ -n "$target" ]
}
# Those namespaces that are not ours; without one of users only root may join the others.
find_flags() {
  flags=''
  for pair in user=U mnt=m ipc=i uts=u net=n pid=p cgroup=C; do
    same_namespace "$target" "${pair%=*}" || flags="$flags -${pair#*=}"
  done
  case $flags in *U*) return 0 ;; esac
  [ "$(id -u)" = 0 ]
}
look_again() {
  if ! [ -e exit.json ]; then echo '@ starting' && exit 0; fi
}
may_join() {
  command -v nsenter >/dev/null || { why='nsenter of util-linux is not on the host'; return 1; }
  # the words in the container leave "started" before anything else: until then the runtime's own processes come and go
  began=''
  [ -s rc ] && read -r began <rc
  case $began in
    started) ;;
    noshell) why='the image has no /bin/sh'; return 1 ;;
    *) look_again ;;
  esac
  find_target "$1" || { why='no process of its container can be seen'; return 1; }
  find_flags || { why='the runtime uses no user namespace, which only root could join'; return 1; }
  # not looked for through /proc: a root that FUSE serves opens to those inside only
  # shellcheck disable=SC2086 # options, to be split
  why=$(nsenter --preserve-credentials $flags -t "$target" /bin/sh -c : 2>&1 </dev/null) || {
    is_alive "$target" "$oldest" || look_again
    case $why in
      *'/bin/sh: No such file'*) why='the image has no /bin/sh' ;;
      '') why='nsenter failed' ;;
    esac
    return 1
  }
}
cd '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' 2>/dev/null || { echo '@ gone'; exit 0; }
why=''
may_join k3f9a2.1 && { echo "@ join $target $oldest$flags"; exit 0; }
[ -r '/images/mini.sif' ] || { echo '@ image-gone'; exit 0; }
shell=shell
while read -r word how; do
  [ "$word" = noshell ] || [ "$how" = direct ] && shell=noshell
done <rc 2>/dev/null
printf "@ fresh $shell %s\n" "$(printf %s "$why" | head -n 1)"