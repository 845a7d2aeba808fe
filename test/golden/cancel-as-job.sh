# shellcheck disable=SC2016 # the killer is a text of its own
ended() {
  echo "@ $1"
  exit 0
}
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
cancelled() {
  for seen in cancelled.*; do [ -e "$seen" ] && ended cancelled-before-start; done
}
# Reads the record of whoever started it.
started_by() {
  record=''
  for go in go.*; do
    [ -r "sup.${go#go.}.json" ] && read -r record <"sup.${go#go.}.json" && return
  done
}
field() {
  value=${record#*"\"$1\":\""}
  value=${value%%\"*}
}
# Another boot or machine: a pid written down there says nothing here.
check_place() {
  machine=''
  read -r boot </proc/sys/kernel/random/boot_id
  [ -r /etc/machine-id ] && read -r machine </etc/machine-id
  read -r host </proc/sys/kernel/hostname
  field machine
  [ "$value" = "$machine" ] || { field hostname; ended "elsewhere $value"; }
  field hostname
  [ "$value" = "$host" ] || ended "elsewhere $value"
  field boot
  [ "$value" = "$boot" ] || { true >"killed.$n"; ended rebooted; }
}
# No room for a grave: a mark takes no block, and a supervisor looks for it when it has the ticket.
bury() {
  if ! { mkdir -p .ended && true >".ended/$T"; }; then ended 'failed no-grave'; fi
  [ -d "$T" ] || ended cancelled-before-start
}
killer_lives() {
  [ -s killer ] || return 1
  read -r killer_pid since <killer
  is_alive "$killer_pid" "$since"
}
T='k3f9a2.1' n='n2' dir='/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f'
[ -r '/home/alice/.towline/towline-root.json' ] || ended 'failed no-root'
[ -d "$dir" ] || mkdir -p "$dir" || ended "failed no-directory"
cd "$dir" || ended "failed no-directory"
[ ! -e ".ended/$T" ] || [ -d "$T" ] || ended cancelled-before-start
if ! [ -d "$T" ]; then
  if ! { mkdir '.k3f9a2.1.n2.grave' && true >'.k3f9a2.1.n2.grave'/"cancelled.$n"; }; then rm -rf '.k3f9a2.1.n2.grave'; bury; fi
  mv -T '.k3f9a2.1.n2.grave' "$T" 2>/dev/null
  rm -rf '.k3f9a2.1.n2.grave' "${T:?}"/'.k3f9a2.1.n2.grave'
fi
cd "$T" || ended "failed no-directory"
mv ticket "cancelled.$n" 2>/dev/null
tell_job() {
  noted='' id='' pilot=0
  [ -s job ] && read -r noted <job
  [ -n "$noted" ] || return 0
  batch=../.jobs/${noted%% *}
  [ ! -s "$batch/id" ] || read -r id <"$batch/id"
  [ ! -e "$batch/pilot" ] || pilot=1
  echo "@ job $noted ${id:--} $pilot"
}
tell_job
cancelled
[ ! -e exit.json ] || ended ended
for seen in killed.*; do [ -e "$seen" ] && ended killed; done
true >stop
echo '@ in-job'