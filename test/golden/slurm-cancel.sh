eval 'module load slurm; echo '\''loud'\''' >/dev/null 2>&1 </dev/null
limited() {
  seconds=$1
  shift
  if command -v timeout >/dev/null 2>&1; then timeout -k 5 "$seconds" "$@"; else "$@"; fi
}
hex_of() {
  # shellcheck disable=SC2046 # one word a byte
  set -- $(tail -c 2000 "$1" 2>/dev/null | od -An -v -tx1)
  echo "$*"
}
dir=$(mktemp -d 2>/dev/null) || { echo '@ scancel 1'; exit 0; }
trap 'rm -rf "$dir"' EXIT
limited 60 scancel '12' '13_4' >"$dir/err" 2>&1 </dev/null
echo "@ scancel $? $(hex_of "$dir/err")"