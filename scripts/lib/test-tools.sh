# shellcheck shell=bash
# Sourced after packages.sh: what tests run on this machine itself, beside the test bed.

OPENSSH=$REPO/.testbed/openssh

test_tools_stage() {
  stage "test tools"
  need busybox busybox
  need ssh-keygen openssh-client
  need python3 python3
  if ! [ -x /usr/sbin/sshd ] && ! [ -x "$OPENSSH/usr/sbin/sshd" ]; then unpack_sshd; fi
  ready
}

# Tests start sshds of their own. A machine without one gets the program only: installed, its package would open
# port 22 to the network.
unpack_sshd() {
  local package
  if ! is_root || ! command -v apt-get >/dev/null; then
    die "there is no /usr/sbin/sshd" "install it (on Debian, as root: apt-get install openssh-server), then run this again"
  fi
  note "unpacking openssh-server in .testbed/openssh"
  refresh_package_lists
  rm -rf "$OPENSSH" "$OPENSSH.new"
  mkdir -p "$OPENSSH.new/packages"
  quietly "$PACKAGE_LOG" "see $PACKAGE_LOG" \
    env --chdir="$OPENSSH.new/packages" apt-get download openssh-server openssh-sftp-server libwrap0
  for package in "$OPENSSH.new"/packages/*.deb; do dpkg-deb -x "$package" "$OPENSSH.new"; done
  # sshd, run by root, wants this account for what it does before a login
  if ! getent passwd sshd >/dev/null; then
    useradd --system --no-create-home --home-dir /run/sshd --shell /usr/sbin/nologin sshd
  fi
  mv "$OPENSSH.new" "$OPENSSH"
}
