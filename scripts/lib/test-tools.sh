# shellcheck shell=bash
# Sourced after packages.sh: what tests run on this machine itself, beside the test bed.

OPENSSH=$REPO/.testbed/openssh
S3RVER=$REPO/.testbed/s3rver
S3RVER_VERSION=3.7.1

test_tools_stage() {
  stage "test tools"
  need busybox busybox
  need ssh-keygen openssh-client
  need python3 python3
  need openssl openssl
  need parallel parallel
  need rsync rsync
  need_browser
  if ! [ -d "$S3RVER/node_modules/s3rver" ]; then install_s3rver; fi
  if ! [ -x /usr/sbin/sshd ] && ! [ -x "$OPENSSH/usr/sbin/sshd" ]; then unpack_sshd; fi
  ready
}

# One test looks at a page as people see it. Without a window the browser is a third smaller than the whole one.
need_browser() {
  local name
  for name in chromium-headless-shell chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then return; fi
  done
  install_packages chromium-headless-shell
}

# An S3 server for tests. Not among the packages of the project: it brings a hundred others. Its name is there when it is whole.
install_s3rver() {
  command -v npm >/dev/null || die "npm is missing" "install it (on Debian, as root: apt-get install npm), then run this again"
  note "installing s3rver $S3RVER_VERSION in .testbed/s3rver"
  rm -rf "$S3RVER" "$S3RVER.new"
  mkdir -p "$S3RVER.new"
  quietly "$REPO/.testbed/npm.log" "see .testbed/npm.log; check that npm reaches its registry with: npm ping" \
    npm --prefix "$S3RVER.new" install --ignore-scripts --no-audit --no-fund --save-exact "s3rver@$S3RVER_VERSION"
  mv "$S3RVER.new" "$S3RVER"
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
