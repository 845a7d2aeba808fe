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
export SLURM_TIME_FORMAT=standard
dir=$(mktemp -d 2>/dev/null) || { echo '@ squeue 1'; exit 0; }
trap 'rm -rf "$dir"' EXIT
limited 60 sacct -n -P -X -o 'JobID,State,ExitCode,Reason,JobName%200' -j '12,13_4' >"$dir/out" 2>"$dir/err" </dev/null
code=$?
sed 's/^/@ row /' "$dir/out"
echo "@ sacct $code $(hex_of "$dir/err")"
set -- '12' '13_4'
for id; do
  limited 60 scontrol show job -o "$id" >"$dir/out" 2>"$dir/err" </dev/null
  code=$?
  # one that hangs is asked once
  [ "$code" -ne 124 ] || { echo "@ scontrol 124"; break; }
  cut -c1-4000 "$dir/out" | sed "s/^/@ record $id /"
  echo "@ show $id $code $(hex_of "$dir/err")"
done