/** Part of sup.sh: taking the ticket, which exists once. */

/**
 * `claim` leaves the shell unless this supervisor is the one that may start the payload. Nothing is
 * taken before there is room for the exit record; the claim is on disk before anything runs. Whether
 * the ticket was won is seen by the own nonce: on a network file system a rename may fail and be done.
 */
export const SUPERVISOR_CLAIM = `claim() {
  read -r me _ </proc/self/stat
  stat_of "$me"
  read -r boot </proc/sys/kernel/random/boot_id
  read -r host </proc/sys/kernel/hostname
  case $host in *[!A-Za-z0-9._-]*) host=unknown ;; esac
  machine=
  [ -r /etc/machine-id ] && read -r machine </etc/machine-id
  at=$(date +%s)
  record="{\\"format\\":1,\\"n\\":\\"$n\\",\\"pid\\":$me,\\"start\\":\\"$start\\",\\"boot\\":\\"$boot\\",\\"machine\\":\\"$machine\\",\\"hostname\\":\\"$host\\",\\"at\\":$at}"
  printf '%s %s\\n' "$me" "$start" >".sup.$n" || give_up no-record
  printf '%s\\n' "$record" >"sup.$n.json" || give_up no-record
  printf '%8191s\\n' '' >".exit.$n" || give_up no-record
  for stream in stdout stderr; do
    printf '%7s\\n' '' >".copied.$stream.$n" || give_up no-record
  done
  # who took the ticket must be known whatever happens next
  make_durable "sup.$n.json" ".exit.$n"
  mv ticket "go.$n" 2>/dev/null
  [ -e "go.$n" ] || give_up no-ticket
  # a launch that comes after the attempt was cleaned away: it ran already
  [ ! -e "../.ended/$token" ] || give_up ended
  make_durable . ..
  # who asked may be gone by now: that must not end what has taken the ticket. Caught, not ignored: the payload would inherit that
  trap : PIPE
  printf '@ started %s\\n' "$record" 2>/dev/null >&7
  trap - PIPE
  exec 7>&-
}

give_up() {
  rm -f ".sup.$n" "sup.$n.json" ".exit.$n" ".copied.stdout.$n" ".copied.stderr.$n"
  for seen in cancelled.*; do
    [ -e "$seen" ] && set -- cancelled
  done
  case $1 in
    no-ticket) echo '@ lost' ;;
    cancelled | ended) echo '@ cancelled' ;;
    *) echo "@ failed $1" ;;
  esac >&7
  exit 0
}

# Hosts whose sync takes no names sync everything.
make_durable() {
  sync "$@" 2>/dev/null || sync
}`;
