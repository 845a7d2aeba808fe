/** Shell functions for texts that ask a scheduler: bounded in time, and with answers that may be any bytes. */

/** `limited SECONDS COMMAND…`: 124 when it took longer; where there is no timeout(1) the deadline of the call has to do. */
export const LIMITED = `limited() {
  seconds=$1
  shift
  if command -v timeout >/dev/null 2>&1; then timeout -k 5 "$seconds" "$@"; else "$@"; fi
}`;

/** `hex_of FILE`: its last 2000 bytes, any bytes, on one line. */
export const HEX = `hex_of() {
  # shellcheck disable=SC2046 # one word a byte
  set -- $(tail -c 2000 "$1" 2>/dev/null | od -An -v -tx1)
  echo "$*"
}`;
