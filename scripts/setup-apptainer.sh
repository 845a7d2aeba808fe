#!/bin/sh
# Makes a host ready for containers: looks at what is there, installs Apptainer from the packages of the
# distribution where it is missing, sets its directories where asked, and runs a tiny image made here.
# Needs no network but that of the package manager, and root only to install (sudo -n where there is no
# root: it never asks for a password). `towline host setup NAME --install` sends it to a host and runs it there.

PROGRAM=setup-apptainer
MARK_BEGIN='# >>> towline: directories of apptainer >>>'
MARK_END='# <<< towline: directories of apptainer <<<'
# another one only for tests
OS_RELEASE=${SETUP_OS_RELEASE:-/etc/os-release}
SYSTEM_SETTINGS=/etc/profile.d/towline-apptainer.sh

usage() {
  cat <<USAGE
usage: $PROGRAM.sh [--check | --print | --unset] [OPTIONS]

without an option of the first group: install what is missing, then check

  --check           only look, and run a tiny image; nothing stays changed
  --print           only say what would be done
  --unset           take back what --cache-dir and --tmp-dir have set
  --cache-dir DIR   set APPTAINER_CACHEDIR (%u in DIR stands for the user's name)
  --tmp-dir DIR     set APPTAINER_TMPDIR
  --system          set them for all users ($SYSTEM_SETTINGS) instead of in ~/.profile
  --runtime NAME    the runtime to look for: a name or a path (default: apptainer)

exit code 0: a container runs here; 1: not, and the last line says why; 2: wrong usage
USAGE
}

say() { printf '%s\n' "$*"; }
tell() { printf '%-7s %-16s %s\n' "$1" "$2" "$3"; }
fail() {
  printf '%s: %s\n' "$PROGRAM" "$*" >&2
  exit 1
}
misuse() {
  printf '%s: %s; see --help\n' "$PROGRAM" "$*" >&2
  exit 2
}
have() { command -v "$1" >/dev/null 2>&1; }

main() {
  umask 022
  PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
  read_arguments "$@"
  case $act in
    print) print_plan ;;
    unset) unset_directories ;;
    check)
      look
      try_container
      ;;
    install)
      install_missing
      set_directories
      look
      try_container
      ;;
  esac
}

read_arguments() {
  act=install cache_dir='' tmp_dir='' scope=user runtime=apptainer
  while [ $# -gt 0 ]; do
    case $1 in
      --check) act=check ;;
      --print) act=print ;;
      --unset) act='unset' ;;
      --system) scope=system ;;
      --cache-dir | --tmp-dir | --runtime)
        [ $# -gt 1 ] || misuse "$1 needs a value"
        case $1 in
          --cache-dir) cache_dir=$2 ;;
          --tmp-dir) tmp_dir=$2 ;;
          *) runtime=$2 ;;
        esac
        shift
        ;;
      --help | -h)
        usage
        exit 0
        ;;
      *) misuse "there is no option $1" ;;
    esac
    shift
  done
  for directory in "$cache_dir" "$tmp_dir"; do check_directory "$directory"; done
}

# What goes into a file that every login reads holds no character that a shell could take for its own.
check_directory() {
  case $1 in
    '') ;;
    [!/]*) misuse "$1 is not an absolute path" ;;
    *[!A-Za-z0-9_./+@%-]*) misuse "$1 has a character that is not a letter, a digit or one of _ . / + @ -" ;;
  esac
  case $(printf '%s' "$1" | sed 's/%u//g') in
    *%*) misuse "$1: only %u may stand for something" ;;
  esac
}

# --- what is there

runtime_path() {
  path=$(command -v "$runtime" 2>/dev/null) || return 1
  case $path in /*) ;; *) return 1 ;; esac
  "$path" --version >/dev/null 2>&1 </dev/null || return 1
  printf '%s\n' "$path"
}

is_setuid() {
  real=$(readlink -f "$1" 2>/dev/null) || return 1
  [ -u "${real%/bin/*}/libexec/apptainer/bin/starter-suid" ] ||
    [ -u "${real%/bin/*}/libexec/singularity/bin/starter-suid" ]
}

# Names the switch that is off; nothing when none is known to be.
userns_switch() {
  read_switch kernel.unprivileged_userns_clone 0 1 ||
    read_switch user.max_user_namespaces 0 10000 ||
    read_switch kernel.apparmor_restrict_unprivileged_userns 1 0
}
read_switch() {
  file=/proc/sys/$(printf '%s' "$1" | tr . /)
  [ -r "$file" ] && [ "$(cat "$file")" = "$2" ] && printf '%s=%s\n' "$1" "$3"
}

# Programs that Apptainer calls, and the Debian package of each.
helpers() {
  cat <<HELPERS
squashfuse_ll squashfuse mounts images; without it each start unpacks the whole image
mksquashfs squashfs-tools makes images of what is pulled
fuse2fs fuse2fs mounts overlay images
fuse-overlayfs fuse-overlayfs makes a writable layer where the kernel does not
newuidmap uidmap maps further users for --fakeroot
HELPERS
}

has_helper() {
  have "$1" || {
    real=$(readlink -f "$(command -v "$runtime" 2>/dev/null)" 2>/dev/null)
    [ -x "${real%/bin/*}/libexec/apptainer/bin/$1" ]
  } || { [ "$1" = squashfuse_ll ] && have squashfuse; }
}

look() {
  if path=$(runtime_path); then tell ok runtime "$("$path" --version 2>/dev/null </dev/null) ($path)"
  else tell missing runtime "$runtime is not there or does not run"; fi
  if [ -n "$path" ] && is_setuid "$path"; then
    tell ok 'user namespaces' 'not needed: the runtime is set-uid root'
  elif ! have unshare; then
    tell unknown 'user namespaces' 'no unshare to try them with'
  elif unshare --user --map-root-user true 2>/dev/null; then
    tell ok 'user namespaces' 'can be made'
  else
    switch=$(userns_switch)
    tell missing 'user namespaces' "cannot be made${switch:+; as root: sysctl -w $switch}"
  fi
  if [ -r /dev/fuse ] && [ -w /dev/fuse ]; then tell ok FUSE /dev/fuse
  elif [ -e /dev/fuse ]; then tell missing FUSE '/dev/fuse may not be opened; as root: chmod 666 /dev/fuse'
  else tell missing FUSE 'there is no /dev/fuse; as root: modprobe fuse'; fi
  if grep -q "^$(id -un):" /etc/subuid 2>/dev/null; then tell ok subuid "$(id -un) is in /etc/subuid"
  else tell wish subuid "$(id -un) is not in /etc/subuid, which only --fakeroot needs"; fi
  helpers | while read -r name package what; do
    if has_helper "$name"; then tell ok "$name" "$what"
    else tell wish "$name" "is not there (package $package): $what"; fi
  done
}

# --- installing

# kind=apt, dnf or nothing, by what the distribution says of itself.
find_family() {
  kind='' ID='' ID_LIKE=''
  # shellcheck source=/dev/null
  [ ! -r "$OS_RELEASE" ] || . "$OS_RELEASE"
  case " $ID $ID_LIKE " in
    *' debian '* | *' ubuntu '*) have apt-get && kind=apt ;;
    *' fedora '* | *' rhel '* | *' centos '*) have dnf && kind=dnf ;;
  esac
}

missing_packages() {
  packages=
  runtime_path >/dev/null || packages=apptainer
  [ "$kind" = apt ] || {
    printf '%s' "$packages"
    return
  }
  while read -r name package _; do
    has_helper "$name" || packages="$packages $package"
  done <<HELPERS
$(helpers)
HELPERS
  printf '%s' "${packages# }"
}

# The commands that install, one a line, for root.
install_commands() {
  case $kind in
    apt)
      say 'apt-get update'
      say "env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $1"
      ;;
    dnf)
      case " $ID " in *' fedora '*) ;; *) say 'dnf install -y epel-release' ;; esac
      say "dnf install -y $1"
      ;;
  esac
}

ask_administrator() {
  say "an administrator should install Apptainer 1.1 or newer: a package of the distribution ($PROGRAM.sh knows apt and dnf), or the site's own build or module; then set runtime = PATH or setup = module load apptainer"
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  else sudo -n "$@"; fi
}

install_missing() {
  find_family
  packages=$(missing_packages)
  if [ -z "$packages" ]; then return 0; fi
  case $packages in
    apptainer*) need=yes ;;
    *) need=no ;;
  esac
  [ -n "$kind" ] || {
    [ "$need" = no ] && return 0
    fail "there is neither apt nor dnf here: $(ask_administrator)"
  }
  may_be_root || {
    # What is only wished for is not worth a failure.
    [ "$need" = no ] && { say "not installed (no root, and sudo -n is refused): $packages" && return 0; }
    fail "installing needs root, and sudo -n is refused here; an administrator should run: $(install_commands "$packages" | tr '\n' ';' | sed 's/;$//; s/;/; /g')"
  }
  commands=$(install_commands "$packages")
  while IFS= read -r line; do
    say "+ $line"
    # shellcheck disable=SC2086 # words of our own, without quotes
    as_root $line </dev/null || fail "this failed: $line ($(ask_administrator))"
  done <<COMMANDS
$commands
COMMANDS
  [ "$need" = no ] || runtime_path >/dev/null || fail "the packages are installed, but $runtime does not run"
}

may_be_root() {
  [ "$(id -u)" = 0 ] || { have sudo && sudo -n true 2>/dev/null </dev/null; }
}

# --- directories of the runtime

settings_file() {
  if [ "$scope" = system ]; then say "$SYSTEM_SETTINGS"; else say "$HOME/.profile"; fi
}

settings() {
  # shellcheck disable=SC2016 # the name of whoever logs in
  for pair in "CACHEDIR:$cache_dir" "TMPDIR:$tmp_dir"; do
    directory=$(printf '%s' "${pair#*:}" | sed 's/%u/${USER:-$(id -un)}/g')
    [ -z "$directory" ] || say "export APPTAINER_${pair%%:*}=\"$directory\"; mkdir -p -m 700 \"$directory\""
  done
}

set_directories() {
  [ -n "$cache_dir$tmp_dir" ] || return 0
  file=$(settings_file)
  lines=$(settings)
  if [ "$scope" = system ]; then
    printf '%s\n' "$MARK_BEGIN" "$lines" "$MARK_END" | as_root tee "$file" >/dev/null ||
      fail "$file cannot be written"
    as_root chmod 644 "$file"
  else
    rewrite "$file" "$MARK_BEGIN" "$lines" "$MARK_END"
  fi
  eval "$lines" || fail "a directory cannot be made: $cache_dir $tmp_dir"
  tell ok directories "set in $file"
}

# rewrite FILE LINE…: what was set before goes, the lines come last; owner and mode of the file stay.
rewrite() {
  target=$1
  shift
  text=$(without_marks "$target") || fail "$target cannot be read"
  { [ -z "$text" ] || printf '%s\n' "$text"; [ $# -eq 0 ] || printf '%s\n' "$@"; } >"$target.towline.$$" ||
    fail "$target.towline.$$ cannot be written"
  cat "$target.towline.$$" >"$target" || fail "$target cannot be written; it should be $target.towline.$$"
  rm -f "$target.towline.$$"
}

without_marks() {
  [ ! -f "$1" ] || sed "/^$MARK_BEGIN\$/,/^$MARK_END\$/d" "$1"
}

unset_directories() {
  file=$(settings_file)
  if [ ! -f "$file" ] || ! grep -qF "$MARK_BEGIN" "$file"; then
    say "nothing is set in $file"
  elif [ "$scope" = system ]; then
    as_root rm -f "$file" || fail "$file cannot be removed"
    say "removed: $file"
  else
    rewrite "$file"
    say "removed from $file"
  fi
}

# --- what would be done

print_plan() {
  find_family
  packages=$(missing_packages)
  if [ -z "$packages" ]; then say '# nothing to install'
  elif [ -n "$kind" ]; then
    say '# as root:'
    install_commands "$packages"
  else
    case $packages in apptainer*) say "# $(ask_administrator)" ;; *) say '# nothing to install' ;; esac
  fi
  switch=$(userns_switch)
  path=$(runtime_path) || path=
  if [ -n "$switch" ] && { [ -z "$path" ] || ! is_setuid "$path"; }; then
    say '# as root, for user namespaces (and in a file of /etc/sysctl.d to keep it):'
    say "sysctl -w $switch"
  fi
  if [ ! -e /dev/fuse ]; then
    say '# as root, for FUSE:'
    say 'modprobe fuse'
  elif [ ! -r /dev/fuse ] || [ ! -w /dev/fuse ]; then
    say '# as root, for FUSE:'
    say 'chmod 666 /dev/fuse'
  fi
  [ -z "$cache_dir$tmp_dir" ] || {
    say "# in $(settings_file):"
    settings
  }
}

# --- a container, for real

try_container() {
  path=$(runtime_path) || fail "$runtime is not there or does not run; --print says what an administrator should do"
  box=$(mktemp -d "${APPTAINER_TMPDIR:-${TMPDIR:-/tmp}}/$PROGRAM.XXXXXX") || fail 'no temporary directory can be made'
  trap 'chmod -R u+rwx "$box" 2>/dev/null; rm -rf "$box"' EXIT
  trap 'exit 1' HUP INT TERM
  make_tree "$box/tree" || fail "no tiny image can be made in $box"
  export APPTAINER_CACHEDIR="$box/cache" SINGULARITY_CACHEDIR="$box/cache"
  export APPTAINER_TMPDIR="$box" SINGULARITY_TMPDIR="$box"
  mkdir "$box/home"
  "$path" build "$box/tiny.sif" "$box/tree" >"$box/log" 2>&1 </dev/null ||
    fail "no image can be built: $(last_words)"
  said=$("$path" exec --containall --cleanenv --home "$box/home:/root" "$box/tiny.sif" /bin/sh -c 'echo it-runs' 2>"$box/log" </dev/null) ||
    fail "no container starts: $(last_words)"
  [ "$said" = it-runs ] || fail "the container said something else: $said"
  if grep -qi 'to temporary sandbox' "$box/log"; then
    tell wish container 'ran a tiny image, but had to unpack it: squashfuse or FUSE does not work'
  else tell ok container 'ran a tiny image made here'; fi
}

last_words() {
  { grep -E 'FATAL|ERROR' "$box/log" || tail -n 1 "$box/log"; } | tail -n 1 | cut -c 1-300
}

# The host's own shell and what it needs.
make_tree() {
  for part in bin etc proc sys dev root tmp var/tmp mnt; do mkdir -p "$1/$part" || return 1; done
  shell=$(readlink -f /bin/sh) && cp "$shell" "$1/bin/sh" || return 1
  : >"$1/etc/passwd"
  : >"$1/etc/group"
  for library in $(ldd "$shell" 2>/dev/null | tr '[:blank:]' '\n' | grep '^/'); do
    mkdir -p "$1${library%/*}" && cp "$library" "$1$library" || return 1
  done
}

main "$@"
