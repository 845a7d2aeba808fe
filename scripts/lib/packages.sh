# shellcheck shell=bash
# Sourced after stage.sh: Debian packages, installed only when a command is missing and only by root.

PACKAGE_LOG=$REPO/.testbed/apt.log
PACKAGE_LISTS_FRESH=

is_root() { [ "$(id -u)" -eq 0 ]; }

# once per run: the lists of a machine that was just made are empty or old
refresh_package_lists() {
  if [ -n "$PACKAGE_LISTS_FRESH" ]; then return; fi
  note "refreshing the package lists"
  quietly "$PACKAGE_LOG" "check the sources in /etc/apt with: apt-get update" apt-get update
  PACKAGE_LISTS_FRESH=yes
}

install_packages() {
  if ! is_root || ! command -v apt-get >/dev/null; then
    die "missing on this machine: $*" "install it (on Debian, as root: apt-get install $*), then run this again"
  fi
  mkdir -p "${PACKAGE_LOG%/*}"
  refresh_package_lists
  note "installing $*"
  quietly "$PACKAGE_LOG" "see $PACKAGE_LOG" \
    env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# need COMMAND PACKAGE: installs the package when the command is missing
need() {
  if ! command -v "$1" >/dev/null; then install_packages "$2"; fi
}
