eval 'module load slurm; echo '\''loud'\''' >/dev/null 2>&1 </dev/null
limited() {
  seconds=$1
  shift
  if command -v timeout >/dev/null 2>&1; then timeout -k 5 "$seconds" "$@"; else "$@"; fi
}
said=$(limited 60 sacct -n -P --noconvert -o JobID,MaxRSS -j '12,13_4' 2>&1 </dev/null)
code=$?
printf '%s\n' "$said" | grep '^[0-9]' | sed 's/^/@ used /'
case $said in *disabled*) code=off ;; esac
echo "@ sacct $code"