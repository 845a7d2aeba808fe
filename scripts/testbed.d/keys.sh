# shellcheck shell=bash
# Sourced by scripts/testbed: keys, known hosts and the configuration, all generated and kept below .testbed.

CLIENT_KEY=$BED/id_ed25519
HOST_KEY=$BED/vm/ssh_host_ed25519_key

# make_key FILE COMMENT: written aside and moved, so that an interrupted run leaves no half of a pair
make_key() {
  if [ -f "$1" ] && [ -f "$1.pub" ]; then return; fi
  local directory
  directory=$(mktemp -d "$BED/tmp/key.XXXXXX")
  ssh-keygen -q -t ed25519 -N '' -C "$2" -f "$directory/key"
  mv "$directory/key.pub" "$1.pub"
  mv "$directory/key" "$1"
  rmdir "$directory"
}

# write FILE: standard input to the file, replaced whole and only when it differs
write() {
  local file=$1 text
  text=$(cat)
  if [ -f "$file" ] && [ "$text" = "$(cat "$file")" ]; then return; fi
  printf '%s\n' "$text" >"$file.new"
  mv "$file.new" "$file"
}

# The address of a Unix socket has 107 bytes; a checkout in a deep directory gets a short place, remembered.
socket_directory() {
  local directory=$BED/run
  if [ $((${#directory} + ${#SOCKET_NAME} + 1)) -gt 107 ]; then
    if [ -f "$BED/socket-directory" ]; then
      directory=$(cat "$BED/socket-directory")
    else
      directory=$(mktemp -d /tmp/towline-XXXXXX)
      echo "$directory" | write "$BED/socket-directory"
    fi
  fi
  mkdir -p "$directory"
  chmod 0700 "$directory"
  echo "$directory"
}
SOCKET_NAME=towline.sock

configuration() {
  cat <<EOT
# written by scripts/testbed up; changes are lost at the next one
[daemon]
state_dir = $BED/state
socket = $(socket_directory)/$SOCKET_NAME

[defaults]
host = vm

[host.vm]
hostname = 127.0.0.1
user = alice
port = $SSH_PORT
identity_file = $CLIENT_KEY
known_hosts = $BED/known_hosts
root = /home/alice/.towline
insecure_registries = registry:5000
max_tasks = 8
EOT
}

keys_up() {
  stage "keys and configuration"
  need ssh-keygen openssh-client
  mkdir -p "$BED/vm" "$BED/tmp" "$BED/log" "$BED/ledger" "$BED/state"
  chmod 0700 "$BED/vm" "$BED/state"
  # payloads of any user append here
  chmod 1777 "$BED/ledger"
  make_key "$CLIENT_KEY" towline-test-bed
  make_key "$BED/id_wrong" towline-test-bed-unauthorised
  make_key "$HOST_KEY" towline-test-bed-vm
  make_key "$BED/wrong_host_key" towline-test-bed-changed-host
  write "$BED/vm/authorized_keys" <"$CLIENT_KEY.pub"
  if [ ! -s "$BED/vm/machine-id" ]; then tr -d - </proc/sys/kernel/random/uuid | write "$BED/vm/machine-id"; fi
  host_line() { printf '[127.0.0.1]:%s %s\n' "$SSH_PORT" "$(cut -d ' ' -f 1,2 "$1")"; }
  host_line "$HOST_KEY.pub" | write "$BED/known_hosts"
  # as if the host's key had changed since it was learnt
  host_line "$BED/wrong_host_key.pub" | write "$BED/known_hosts_changed"
  configuration | write "$BED/towline.ini"
  ready
}
