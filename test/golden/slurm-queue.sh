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
export SLURM_BITSTR_LEN=0 SLURM_TIME_FORMAT=standard
dir=$(mktemp -d 2>/dev/null) || { echo '@ squeue 1'; exit 0; }
trap 'rm -rf "$dir"' EXIT
limited 60 squeue --local --me -h -t all -o '%i|%T|%r|%S|%N|%j' >"$dir/out" 2>"$dir/err" </dev/null
code=$?
grep -F '|towline-' "$dir/out" | sed 's/^/@ job /'
echo "@ squeue $code $(hex_of "$dir/err")"