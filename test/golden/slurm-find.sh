eval 'module load slurm; echo '\''loud'\''' >/dev/null 2>&1 </dev/null
limited() {
  seconds=$1
  shift
  if command -v timeout >/dev/null 2>&1; then timeout -k 5 "$seconds" "$@"; else "$@"; fi
}
dir=$(mktemp -d 2>/dev/null) || exit 0
trap 'rm -rf "$dir"' EXIT
names='towline-b1,towline-b2'
if limited 60 squeue --local --me -h -r -t all -o '%i|%j' --name="$names" >"$dir/out" 2>/dev/null </dev/null; then
  echo "@ asked squeue"
  sed "s/^/@ job /" "$dir/out"
fi
if limited 60 sacct -n -P -X -S now-30days -o 'JobID,JobName%200' --name="$names" >"$dir/out" 2>"$dir/err" </dev/null; then
  echo "@ asked sacct"
  sed "s/^/@ job /" "$dir/out"
elif grep -qi disabled "$dir/err"; then
  echo "@ asked nothing"
fi