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
asked=''
if command -v awk >/dev/null 2>&1; then alive=alive_later; fi
alive_later() {
  asked="$asked $1:$2"
}
# one by one after all where awk does not start: who is not told of would look dead
told_alive() {
  [ -n "$asked" ] || return 0
  # shellcheck disable=SC2086 # pairs of numbers, to be split
  awk 'BEGIN {
    for (n = 1; n < ARGC; n++) {
      split(ARGV[n], pair, ":")
      file = "/proc/" pair[2] "/stat"
      text = ""
      while ((getline line <file) > 0) text = text line
      close(file)
      if (!sub(/.*[)] /, "", text)) continue
      if (split(text, field, " ") >= 20 && field[1] != "Z" && field[1] != "X") print "@ alive " pair[1] " " field[20]
    }
  }' $asked 2>/dev/null || for pair in $asked; do alive_now "${pair%:*}" "${pair#*:}"; done
}
machine=''
read -r boot </proc/sys/kernel/random/boot_id
read -r host </proc/sys/kernel/hostname
[ -r /etc/machine-id ] && read -r machine </etc/machine-id
echo "@ host $boot ${machine:--} $host"
look 0 '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' 'n1' 4711 '/home/alice/.towline'
look 1 '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' 'n1' 4711 '/home/alice/.towline'
look 2 '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' 'n1' 4711 '/home/alice/.towline'
look 3 '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' 'n1' 4711 '/home/alice/.towline'
look 4 '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' 'n1' 4711 '/home/alice/.towline'
look 5 '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' 'n1' 4711 '/home/alice/.towline'
look 6 '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' 'n1' 4711 '/home/alice/.towline'
look 7 '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' 'n1' 4711 '/home/alice/.towline'
look 8 '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' 'n1' 4711 '/home/alice/.towline'
look 9 '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' 'n1' 4711 '/home/alice/.towline'
look 10 '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' 'n1' 4711 '/home/alice/.towline'
look 11 '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' 'n1' 4711 '/home/alice/.towline'
look 12 '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' 'n1' 4711 '/home/alice/.towline'
look 13 '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' 'n1' 4711 '/home/alice/.towline'
look 14 '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' 'n1' 4711 '/home/alice/.towline'
look 15 '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' 'n1' 4711 '/home/alice/.towline'
stat -c '@ size %s %n' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stdout' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stderr' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stdout' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stderr' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stdout' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stderr' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stdout' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stderr' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stdout' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stderr' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stdout' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stderr' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stdout' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stderr' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stdout' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stderr' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stdout' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stderr' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stdout' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stderr' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stdout' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stderr' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stdout' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stderr' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stdout' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stderr' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stdout' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stderr' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stdout' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stderr' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stdout' '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/stderr' 2>/dev/null
told_alive