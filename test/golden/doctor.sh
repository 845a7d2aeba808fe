fact() { name=$1; shift; printf '%s\n' "@ fact $name $*"; }
try() { name=$1; shift; if "$@" >/dev/null 2>&1; then fact "$name" 1; else fact "$name" 0; fi; }
marker=towline-root.json runtime='apptainer' unset=
read -r host </proc/sys/kernel/hostname
me=$$.$host
user=$(id -un 2>/dev/null || id -u)
fact clockMs "$(date +%s)000"
fact user "$user"
fact uid "$(id -u)"
fact home "$HOME"
fact hostname "$host"
entry=$(getent passwd "$user" 2>/dev/null || grep "^$user:" /etc/passwd 2>/dev/null)
shell=${entry##*:}
[ -n "$shell" ] || shell=$SHELL
fact loginShell "$shell"
for tool in setsid sha256sum stat df mkdir mv ln tr sed awk grep od; do
  if command -v "$tool" >/dev/null 2>&1; then echo "@ tool $tool 1"; else echo "@ tool $tool 0"; fi
done
if env --default-signal=INT,QUIT true 2>/dev/null; then echo '@ tool env--default-signal 1'; else echo '@ tool env--default-signal 0'; fi
if mv --help 2>&1 | grep -q -- -T; then echo '@ tool mv-T 1'; else echo '@ tool mv-T 0'; fi
space() {
  # shellcheck disable=SC2046 # words
  set -- "$1" $(stat -f -c '%a %S %d %c' "$2" 2>/dev/null)
  [ $# -eq 5 ] || return 0
  fact "$1reeBytes" $(($2 * $3))
  fact "$1reeInodes" "$4"
  case $1 in f) fact inodes "$5" ;; *) fact homeInodes "$5" ;; esac
}
runs() {
  printf '#!/bin/sh\nexit 0\n' >"$2/run" 2>/dev/null || return 0
  chmod 700 "$2/run"
  try "$1" "$2/run"
}
look_at_root() {
  while case $root in ?*/) ;; *) false ;; esac; do root=${root%/}; done
  fact root "$root"
  anchor=$root
  if [ -L "$root" ]; then
    fact rootKind symlink
    fact rootTarget "$(readlink -f "$root" 2>/dev/null)"
  elif [ -d "$root" ]; then
    fact rootKind directory
    fact rootOwner "$(stat -c %U "$root" 2>/dev/null)"
    try rootOurs [ -O "$root" ]
    fact rootMode "$(stat -c %a "$root" 2>/dev/null)"
    [ ! -r "$root/$marker" ] || fact rootMarker "$(head -c 200 "$root/$marker" 2>/dev/null | head -n 1)"
    if [ ! -e "$root/$marker" ]; then
      for entry in "$root"/* "$root"/.[!.]*; do
        [ -e "$entry" ] || continue
        case ${entry##*/} in images | store | tasks | .probe.* | ".$marker".*) ;; *) fact rootForeign "${entry##*/}"; break ;; esac
      done
    fi
  elif [ -e "$root" ]; then
    fact rootKind other
  else
    fact rootKind absent
  fi
  while ! [ -d "$anchor" ] && [ -n "$anchor" ] && [ "$anchor" != / ]; do anchor=${anchor%/*}; done
  anchor=${anchor:-/}
  fact anchor "$anchor"
  fact fsType "$(stat -f -c %T "$anchor" 2>/dev/null)"
  space f "$anchor"
  trial=$anchor/.probe.doctor.$me
  if mkdir "$trial" 2>/dev/null; then
    fact canMake 1
    if dd if=/dev/zero of="$trial/fill" bs=65536 count=4 >/dev/null 2>&1; then fact canFill 1; else fact canFill 0; fi
    rm -f "$trial/fill"
    runs canRun "$trial"
    rm -rf "$trial"
  else
    fact canMake 0
  fi
  space homeF "$HOME"
  trial=$HOME/.probe.doctor.$me
  if mkdir "$trial" 2>/dev/null; then
    runs homeRuns "$trial"
    rm -rf "$trial"
  fi
  # quota asks file servers, which may not answer
  if command -v quota >/dev/null 2>&1; then
    timeout 3 quota -w 2>/dev/null </dev/null | grep '[0-9]\*' | while read -r line; do printf '%s\n' "@ quota $line"; done
  fi
}
tmp=${TMPDIR:-/tmp}
fact tmp "$tmp"
trial=$tmp/.probe.doctor.$me
if mkdir "$trial" 2>/dev/null && echo x >"$trial/x"; then fact tmpWritable 1; else fact tmpWritable 0; fi
rm -rf "$trial"
# shellcheck disable=SC2046 # two words
set -- $(stat -f -c '%a %S' "$tmp" 2>/dev/null)
[ $# -lt 2 ] || fact tmpFreeBytes $(($1 * $2))
noise='it'\''s Monday'
case ${shell##*/} in
  zsh) set -- "$HOME/.zshenv" /etc/zshenv /etc/zsh/zshenv ;;
  tcsh | csh) set -- "$HOME/.tcshrc" "$HOME/.cshrc" /etc/csh.cshrc ;;
  fish) set -- "${XDG_CONFIG_HOME:-$HOME/.config}/fish/config.fish" "${XDG_CONFIG_HOME:-$HOME/.config}"/fish/conf.d/*.fish /etc/fish/config.fish ;;
  bash) set -- "$HOME/.bashrc" /etc/bash.bashrc /etc/bashrc ;;
  *) set -- "$HOME/.profile" ;;
esac
for file in "$@" "$HOME/.ssh/rc" /etc/ssh/sshrc "$HOME/.ssh/environment"; do
  if ! [ -f "$file" ] || ! [ -r "$file" ]; then continue; fi
  printf '%s\n' "@ rc $file"
  line=
  [ -z "$noise" ] || line=$(grep -nF -- "$noise" "$file" 2>/dev/null | head -n 1)
  [ -n "$line" ] || line=$(grep -nE '^[^#]*(^|[;&|({[:space:]])(echo|printf|print|cat|date|uptime|fortune|figlet|cowsay|neofetch|fastfetch|banner|who|w|last|quota|mesg|stty)([[:space:];]|$)' "$file" 2>/dev/null | head -n 1)
  [ -z "$line" ] || printf '%s\n' "@ loud $line"
done
[ -n "$SCRATCH" ] || { fact rootUnset SCRATCH; unset=1; }
[ -n "$unset" ] || { root="${SCRATCH:?}"'/tow line'; look_at_root; }
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
if sh -n -c 'module load apptainer' 2>/dev/null; then fact setupValid 1; eval 'module load apptainer' >/dev/null 2>&1 </dev/null; else fact setupValid 0; fi
path=$(command -v "$runtime" 2>/dev/null) && case $path in
  /*)
    version=$("$path" --version 2>/dev/null </dev/null) && fact runtimePath "$path" && fact runtimeVersion "$version"
    ;;
esac
if [ -z "$version" ]; then
  for path in $(command -v apptainer) $(command -v singularity) "$HOME/bin/apptainer" "$HOME/.local/bin/apptainer" /usr/local/bin/apptainer /usr/bin/apptainer /opt/apptainer/bin/apptainer /opt/*/bin/apptainer /opt/*/apptainer /usr/local/bin/singularity /usr/bin/singularity; do
    case $path in /*) ;; *) continue ;; esac
    [ -x "$path" ] && [ -f "$path" ] && "$path" --version >/dev/null 2>&1 </dev/null && fact runtimeElsewhere "$path" && break
  done
  if command -v module >/dev/null 2>&1 || [ -r /etc/profile.d/modules.sh ] || [ -r /etc/profile.d/lmod.sh ]; then fact modules 1; fi
fi
libexec=
if [ -n "$version" ]; then
  real=$(readlink -f "$path" 2>/dev/null)
  for libexec in "${real%/bin/*}/libexec/apptainer/bin" "${real%/bin/*}/libexec/singularity/bin" /usr/lib/x86_64-linux-gnu/apptainer/bin; do
    [ -d "$libexec" ] && break
  done
  if [ -u "$libexec/starter-suid" ]; then fact setuid 1; else fact setuid 0; fi
fi
if command -v unshare >/dev/null 2>&1; then try userns unshare --user --map-root-user true; fi
value() { [ ! -r "$2" ] || fact "$1" "$(cat "$2" 2>/dev/null)"; }
value usernsClone /proc/sys/kernel/unprivileged_userns_clone
value usernsMax /proc/sys/user/max_user_namespaces
value usernsApparmor /proc/sys/kernel/apparmor_restrict_unprivileged_userns
try subuid grep -q "^$user:" /etc/subuid
if ! [ -e /dev/fuse ]; then fact fuseDevice absent
elif [ -r /dev/fuse ] && [ -w /dev/fuse ]; then fact fuseDevice usable
else fact fuseDevice denied; fi
PATH="$PATH:$libexec:/usr/sbin:/sbin"
fact squashfuse "$(command -v squashfuse_ll || command -v squashfuse)"
fact mksquashfs "$(command -v mksquashfs)"
look_at_images() {
  while case $images in ?*/) ;; *) false ;; esac; do images=${images%/}; done
  fact imagesDir "$images"
  if [ -e "$images" ] && ! [ -d "$images" ]; then fact imagesKind other; fi
  place=$images
  while ! [ -d "$place" ] && [ -n "$place" ] && [ "$place" != / ]; do place=${place%/*}; done
  place=${place:-/}
  # shellcheck disable=SC2046 # words
  set -- $(stat -f -c '%a %S %T' "$place" 2>/dev/null)
  if [ $# -ge 3 ]; then fact imagesFreeBytes $(($1 * $2)); fact imagesFsType "$3"; fi
  if [ "$(stat -c %d "$place" 2>/dev/null)" = "$(stat -c %d "$HOME" 2>/dev/null)" ]; then fact imagesOnHome 1; else fact imagesOnHome 0; fi
  set -- "$images"/*.sif
  if [ -e "$1" ]; then fact imagesCount $#; else fact imagesCount 0; fi
  trial=$place/.probe.doctor.$me
  if mkdir "$trial" 2>/dev/null; then
    fact imagesWritable 1
    rm -rf "$trial"
  else
    fact imagesWritable 0
  fi
}
if [ -n "$SCRATCH" ]; then images="${SCRATCH:?}"'/tow line/images'; look_at_images; fi
# shellcheck disable=SC2012 # names that the kernel gives
[ -z "$root" ] || ls -l /proc/[0-9]*/fd 2>/dev/null | ROOT="$root/tasks/" awk '
  /^\/proc\// { split($0, part, "/"); pid = part[3]; next }
  { at = index($0, " -> " ENVIRON["ROOT"]); if (at > 0 && /\.img$/) print pid, substr($0, at + 4) }
' | sort -u | while read -r pid path; do
  [ -e "${path%/*}/exit.json" ] && printf '%s\n' "@ overlay $pid $path"
done
reach() {
  name=${4%:*} port=${4##*:}
  [ "$name" != "$4" ] || port=$3
  if command -v curl >/dev/null 2>&1; then
    words=$(curl -sS -m 5 -o /dev/null "$2://$4/v2/" 2>&1 </dev/null)
  elif command -v bash >/dev/null 2>&1; then
    # shellcheck disable=SC2016 # for the other shell
    words=$(timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$name" "$port" 2>&1 </dev/null)
  else
    return 0
  fi
  code=$?
  case $code in
    0) printf '%s\n' "@ registry $1 ok" ;;
    *) printf '%s\n' "@ registry $1 failed $(printf '%s' "$words" | tr '\n' ' ' | cut -c 1-200) ($code)" ;;
  esac
}
reach 'registry.example.org:5000' http 80 'registry.example.org:5000' &
reach 'docker.io' https 443 'registry-1.docker.io' &
wait
for tool in nvidia-smi rocm-smi; do
  command -v "$tool" >/dev/null 2>&1 || continue
  case $tool in nvidia-smi) list=-L ;; *) list=--showid ;; esac
  words=$(timeout 5 "$tool" "$list" 2>&1 </dev/null)
  code=$?
  fact gpuTool "$tool"
  fact gpuCode "$code"
  if [ "$code" = 0 ]; then fact gpuCount "$(printf '%s\n' "$words" | grep -c GPU)"
  else fact gpuWords "$(printf '%s' "$words" | tr '\n' ' ' | cut -c 1-200)"; fi
  break
done
for device in /sys/bus/pci/devices/*; do
  case $(cat "$device/class" 2>/dev/null) in 0x03*) ;; *) continue ;; esac
  case $(cat "$device/vendor" 2>/dev/null) in
    0x10de) fact gpuCard NVIDIA ;;
    0x1002) fact gpuCard AMD ;;
  esac
done
echo '@ done'