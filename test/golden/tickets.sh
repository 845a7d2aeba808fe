tickets() {
  tasks=$1
  shift
  [ -r "${tasks%/*/*}/towline-root.json" ] || return 0
  for T; do [ -e "$tasks/$T/ticket" ] || echo "@ taken $T"; done
}
tickets '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f' k3f9a2.1 k3f9a2.2
tickets '/other root/tasks/d' b.1