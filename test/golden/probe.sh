refuse() {
  printf '%s\n' "@ refused $1"
  exit 0
}
lacking=''
for name in awk cat chmod date grep head id ln ls mkdir mv od readlink rm rmdir sed sleep stat tail touch tr wc; do command -v "$name" >/dev/null || lacking="$lacking $name"; done
[ -z "$lacking" ] || { echo "@ lacks$lacking"; exit 0; }
[ -n "$SCRATCH" ] || refuse "\$SCRATCH is not set on the host"
root="${SCRATCH:?}"'/tow line' runtime='apptainer' marker=towline-root.json
read -r host </proc/sys/kernel/hostname
me=$$.$host
case $root in /*) ;; *) refuse "it is not absolute here: $root" ;; esac
case $root in *[[:cntrl:]]*) refuse 'its name has control characters' ;; esac
while case $root in ?*/) ;; *) false ;; esac; do root=${root%/}; done
if [ "$root" = / ] || [ "$root" = "$HOME" ]; then refuse "$root belongs to others as well; choose a directory below it"; fi
[ ! -L "$root" ] || refuse "$root is a symbolic link"
if ! [ -e "$root" ]; then
  mkdir -p "${root%/*}/" 2>&1
  mkdir -m 700 "$root" 2>&1 || [ -d "$root" ] || { echo '@ failed root cannot be made'; exit 0; }
fi
[ -d "$root" ] || refuse "$root is not a directory"
[ -O "$root" ] || refuse "$root belongs to another user"
mode=$(stat -c %a "$root")
case $mode in *[2367]? | *[2367]) refuse "$root can be written by others (mode $mode)" ;; esac
cd "$root" 2>&1 || { echo '@ failed root cannot be entered'; exit 0; }
# an empty one is what a full disk or a power loss left; complete ones are never empty
[ -s $marker ] || rm -f $marker
if [ -e $marker ]; then
  read -r mark <$marker
  case $mark in
    '{"format":1,"towline":"root"'*) ;;
    '{"format":'*'"towline":"root"'*) refuse "$root was made by another version of Towline: $mark" ;;
    *) refuse "$root/$marker is not of Towline" ;;
  esac
else
  for entry in * .[!.]*; do
    case $entry in images | store | tasks | "$marker" | ".$marker".* | .probe.*) ;; *) [ ! -e "$entry" ] || refuse "$root is not empty and not of Towline (it has $entry)" ;; esac
  done
  mkdir -p images store/.part tasks 2>&1 || { echo '@ failed root cannot be filled'; exit 0; }
  # complete before it has its name: another first contact may look at the same moment
  # on a full disk nothing gets the name: half a marker would shut us out for good
  id=$(od -An -N 8 -tx1 /dev/urandom | tr -d ' \n')
  if ! echo '{"format":1,"towline":"root","id":"'"$id"'"}' | { cat >".$marker.$me"; } 2>&1; then
    rm -f ".$marker.$me"
    echo '@ failed marker cannot be written'
    exit 0
  fi
  ln ".$marker.$me" $marker 2>/dev/null || [ -e $marker ] || mv ".$marker.$me" $marker 2>&1 ||
    { echo '@ failed marker cannot be written'; exit 0; }
  rm -f ".$marker.$me"
  # that of whoever was first
  read -r mark <$marker
fi
# older ones have none
id=''
case $mark in *'"id":"'*) id=${mark##*'"id":"'} id=${id%%'"'*} ;; esac
[ -d store/.part ] || mkdir -p images store/.part tasks 2>&1
# it is ours: whoever made it before us, nobody else gets in
case $mode in
  *00) ;;
  *)
    chmod go-rwx . 2>&1
    case $(stat -c %a .) in *00) ;; *) refuse "$root can be read by others, and its file system does not change that" ;; esac
    ;;
esac
machine='' fs='' free=0 memory=0
read -r boot </proc/sys/kernel/random/boot_id
[ -r /etc/machine-id ] && read -r machine </etc/machine-id
while read -r key value _; do [ "$key" != MemTotal: ] || { memory=$value; break; }; done </proc/meminfo
# shellcheck disable=SC2046 # three words
set -- $(stat -f -c '%T %a %S' . 2>/dev/null)
[ $# -lt 3 ] || { fs=$1; free=$(($2 * $3)); }
# a backslash in a path would mean something to echo
printf '%s\n' "@ fact root $PWD"
case $id in '' | *[!0-9a-f]*) ;; *) echo "@ fact rootId $id" ;; esac
echo "@ fact uid $(id -u)"
echo "@ fact arch $(uname -m 2>/dev/null)"
echo "@ fact user $(id -un 2>/dev/null || id -u)"
printf '%s\n' "@ fact home $HOME"
# a line of its own, or it is none
case ${SCRATCH-} in '' | *[[:cntrl:]]*) ;; *) printf '%s\n' "@ fact scratch $SCRATCH" ;; esac
echo "@ fact hostname $host"
echo "@ fact machineId $machine"
echo "@ fact bootId $boot"
echo "@ fact pidNamespace $(readlink /proc/self/ns/pid)"
echo "@ fact cpus $(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)"
echo "@ fact memoryBytes $((memory * 1024))"
echo "@ fact rootFsType $fs"
echo "@ fact freeBytes $free"
echo "@ fact clockMs $(date +%s)000"
has() {
  name=$1
  shift
  if "$@" >/dev/null 2>&1; then echo "@ tool $name 1"; else echo "@ tool $name 0"; fi
}
# what a shell that was killed here in the middle of this has left
for entry in .probe.*."$host" .probe.*."$host".[tu]; do
  left=${entry#.probe.} left=${left%%.*}
  case $left in *[!0-9]*) ;; *) [ ! -d "$entry" ] || [ -d "/proc/$left" ] || rm -rf "$entry" ;; esac
done
probe=.probe.$me
rm -rf "$probe" "$probe.t"
mkdir "$probe" "$probe.t" && true >"$probe.t/x"
# shellcheck disable=SC2016 # onto a directory that is not empty it must fail, onto nothing it must work
has mvNoTarget sh -c '! mv -T "$1" "$1.t" && [ -d "$1" ] && [ ! -d "$1.t/$1" ] && mv -T "$1" "$1.u"' sh "$probe"
rm -rf "$probe" "$probe.t" "$probe.u"
has syncFile sync .
has setsid setsid true
has sha256sum sha256sum /dev/null
has stat stat -c '%s %Y %n' .
has defaultSignal env --default-signal=INT,QUIT true
fact() { name=$1; shift; printf '%s\n' "@ fact $name $*"; }
try() { name=$1; shift; if "$@" >/dev/null 2>&1; then fact "$name" 1; else fact "$name" 0; fi; }
user=$(id -un 2>/dev/null || id -u)
kills=no
try systemd [ -d /run/systemd/system ]
for file in /etc/systemd/logind.conf /usr/lib/systemd/logind.conf.d/*.conf /run/systemd/logind.conf.d/*.conf /etc/systemd/logind.conf.d/*.conf; do
  [ -r "$file" ] || continue
  kill=$(sed -n 's/^[[:space:]]*KillUserProcesses[[:space:]]*=[[:space:]]*//p' "$file" | tail -n 1)
  [ -z "$kill" ] || { kills=$kill; fact killUserProcesses "$kill"; fact killFile "$file"; }
  spared=$(sed -n 's/^[[:space:]]*KillExcludeUsers[[:space:]]*=[[:space:]]*//p' "$file" | tail -n 1)
  [ -z "$spared" ] || fact killExclude "$spared"
done
try linger [ -e "/var/lib/systemd/linger/$user" ]
fact cgroup "$(sed -n 's/^0:://p' /proc/self/cgroup 2>/dev/null | head -n 1)"
case $kills in
  [Yy]es | [Tt]rue | 1 | [Oo]n)
    export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
    try userScope systemd-run --user --scope --quiet --collect true
    ;;
esac
sh -n -c 'module load apptainer' || { echo '@ failed setup is not valid shell'; exit 0; }
eval 'module load apptainer' >/dev/null 2>&1 </dev/null
within() { if command -v timeout >/dev/null 2>&1; then timeout 8 "$@"; else "$@"; fi; }
if command -v nvidia-smi >/dev/null 2>&1; then
  seen=$(within nvidia-smi --query-gpu=uuid,memory.total,name --format=csv,noheader,nounits 2>/dev/null </dev/null)
  case $? in
    0) printf '%s\n' "$seen" | while IFS= read -r gpu; do printf '%s\n' "@ gpu nvidia $gpu"; done ;;
    124 | 137) echo '@ gpu unknown' ;;
  esac
fi
i=0 n=0
while [ -r '/sys/class/kfd/kfd/topology/nodes'/$i/gpu_id ]; do
  read -r id <'/sys/class/kfd/kfd/topology/nodes'/$i/gpu_id 2>/dev/null || id=0
  if [ "$id" != 0 ]; then
    name=''
    read -r name 2>/dev/null <'/sys/class/kfd/kfd/topology/nodes'/$i/name
    printf '%s\n' "@ gpu amd $n,,$name"
    n=$((n + 1))
  fi
  i=$((i + 1))
done
path=$(command -v "$runtime") && case $path in
  /*)
    version=$("$path" --version 2>/dev/null </dev/null) && printf '%s\n' "@ runtime $path" && echo "@ version $version"
    ;;
esac
echo '@ done'