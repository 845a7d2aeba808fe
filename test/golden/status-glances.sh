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
look() {
  i=$1 dir=$2 n=$3 root=$5
  if ! [ -d "$dir" ]; then
    if [ -r "$root/towline-root.json" ]; then echo "@ gone $i"; else echo "@ unseen $i"; fi
    return
  fi
  seen=there
  [ -e "$dir/ticket" ] && seen="$seen ticket"
  [ -e "$dir/go.$n" ] && seen="$seen go"
  for file in "$dir"/cancelled.*; do [ -e "$file" ] && seen="$seen cancelled" && break; done
  for file in "$dir"/killed.*; do [ -e "$file" ] && seen="$seen killed" && break; done
  echo "@ seen $i $seen"
  line=''
  if [ -e "$dir/exit.json" ]; then
    IFS= read -r line <"$dir/exit.json"
    echo "@ exit $i $line"
  elif [ "$4" -gt 0 ]; then
    $alive "$i" "$4"
  fi
}
alive=alive_now
alive_now() {
  if stat_of "$2" && [ "$state" != Z ] && [ "$state" != X ]; then echo "@ alive $1 $start"; fi
}
glance() {
  if [ -e "$base/$2/exit.json" ] || { [ "$4" -gt 0 ] && ! [ -e "/proc/$4/exe" ]; }; then
    look "$1" "$base/$2" "$3" "$4" "${base%/*/*}"
  else
    same="$same $1"
  fi
}
# many in one write
told_same() {
  echo "@ same$same"
  same=''
}
machine=''
read -r boot </proc/sys/kernel/random/boot_id
read -r host </proc/sys/kernel/hostname
[ -r /etc/machine-id ] && read -r machine </etc/machine-id
echo "@ host $boot ${machine:--} $host"
look 1 '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' 'n1' 4711 '/home/alice/.towline'
stat -c '@ size %s %n' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stdout' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stderr' 2>/dev/null
base='/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f' same=''
glance 0 'k3f9a2.1' 'n1' 4711
glance 2 'k3f9a2.1' 'n'\''2' 0
told_same
if cd "$base" 2>/dev/null; then
stat -c '@ size %s %n' 'k3f9a2.1/stdout' 'k3f9a2.1/stderr' 'k3f9a2.1/stdout' 'k3f9a2.1/stderr' 2>/dev/null
fi
base='/it'\''s/tasks/d' same=''
glance 3 'b.1' 'n' 7
told_same
if cd "$base" 2>/dev/null; then
stat -c '@ size %s %n' 'b.1/stdout' 'b.1/stderr' 2>/dev/null
fi
: