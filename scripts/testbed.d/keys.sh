# shellcheck shell=bash
# Sourced by scripts/testbed: keys, known hosts and the configuration, all generated and kept below .testbed.

CLIENT_KEY=$BED/id_ed25519
# keys of further users and tests; the passphrase is no secret, it is here for tests to give
MORE_KEYS=$BED/keys
PASSPHRASE='test bed passphrase'

# make_key FILE COMMENT [TYPE [PASSPHRASE]]: written aside and moved, so that an interrupted run leaves no half
# of a pair
make_key() {
  if [ -f "$1" ] && [ -f "$1.pub" ]; then return; fi
  local directory
  directory=$(mktemp -d "$BED/tmp/key.XXXXXX")
  ssh-keygen -q -t "${3:-ed25519}" -N "${4:-}" -C "$2" -f "$directory/key"
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
  if cluster_runs; then cluster_section; fi
}

# without a scheduler: hpc as a plain host
cluster_section() {
  cat <<EOT

[host.hpc]
hostname = 127.0.0.1
user = alice
port = $HPC_PORT
identity_file = $CLIENT_KEY
known_hosts = $BED/known_hosts
root = /home/alice/.towline
insecure_registries = registry:5000
EOT
}

keys_up() {
  stage "keys and configuration"
  need ssh-keygen openssh-client
  mkdir -p "$BED/tmp" "$BED/log" "$BED/ledger" "$BED/state"
  chmod 0700 "$BED/state"
  # payloads of any user append here
  chmod 1777 "$BED/ledger"
  make_key "$CLIENT_KEY" towline-test-bed
  make_key "$BED/id_wrong" towline-test-bed-unauthorised
  make_key "$BED/wrong_host_key" towline-test-bed-changed-host
  client_keys
  local host
  for host in "${HOST_NAMES[@]}"; do host_identity "$host"; done
  cluster_keys
  known_hosts | write "$BED/known_hosts"
  # as if the host's key had changed since it was learnt
  pin "[127.0.0.1]:$SSH_PORT" "$BED/wrong_host_key" | write "$BED/known_hosts_changed"
  configuration | write "$BED/towline.ini"
  ready
}

# Beside the plain key: an encrypted one, other types, and five for an agent of which only the fourth is
# authorised.
client_keys() {
  local number
  mkdir -p "$MORE_KEYS"
  chmod 0700 "$MORE_KEYS"
  make_key "$MORE_KEYS/encrypted" towline-test-bed-encrypted ed25519 "$PASSPHRASE"
  if [ ! -f "$MORE_KEYS/passphrase" ]; then (umask 077 && echo "$PASSPHRASE" >"$MORE_KEYS/passphrase"); fi
  make_key "$MORE_KEYS/rsa" towline-test-bed-rsa rsa
  make_key "$MORE_KEYS/ecdsa" towline-test-bed-ecdsa ecdsa
  for number in 1 2 3 4 5; do make_key "$MORE_KEYS/agent_$number" "towline-test-bed-agent-$number"; done
}

authorized_keys() { cat "$CLIENT_KEY.pub" "$MORE_KEYS"/{encrypted,rsa,ecdsa,agent_4}.pub; }

# What a host is told apart by, in the directory that its container reads. vm2 has keys of several types.
host_identity() {
  local directory=$BED/$1 type
  mkdir -p "$directory"
  chmod 0700 "$directory"
  make_key "$directory/ssh_host_ed25519_key" "towline-test-bed-$1"
  if [ "$1" = vm2 ]; then
    for type in ecdsa rsa; do make_key "$directory/ssh_host_${type}_key" "towline-test-bed-$1" "$type"; done
    # for a test whose host changes its key
    make_key "$directory/ssh_host_changed_key" "towline-test-bed-$1-changed"
  fi
  authorized_keys | write "$directory/authorized_keys"
  if [ ! -s "$directory/machine-id" ]; then tr -d - </proc/sys/kernel/random/uuid | write "$directory/machine-id"; fi
}

# pin NAME FILE…: known_hosts lines of the keys in the files
pin() {
  local name=$1 file
  shift
  for file in "$@"; do printf '%s %s\n' "$name" "$(cut -d ' ' -f 1,2 "$file.pub")"; done
}

# inner is known by the name that bastion knows it by
known_hosts() {
  local port keys=("$BED"/vm2/ssh_host_{ed25519,ecdsa,rsa}_key)
  pin "[127.0.0.1]:$SSH_PORT" "$BED/vm/ssh_host_ed25519_key"
  pin "[127.0.0.1]:$VM2_PORT" "${keys[@]}"
  pin "[127.0.0.1]:$BASTION_PORT" "$BED/bastion/ssh_host_ed25519_key"
  pin "[127.0.0.1]:$HPC_PORT" "$BED/hpc/ssh_host_ed25519_key"
  pin "[127.0.0.1]:$HPC2_PORT" "$BED/hpc2/ssh_host_ed25519_key"
  pin inner "$BED/inner/ssh_host_ed25519_key"
  for ((port = SSHD_PORT_FIRST; port <= SSHD_PORT_LAST; port++)); do pin "[127.0.0.1]:$port" "${keys[@]}"; done
}
