slurm() { name=$1; shift; printf '%s\n' "@ slurm $name $*"; }
short() { printf '%s' "$*" | tr '\n' ' ' | cut -c 1-400; }
missing=
for tool in sbatch squeue scancel scontrol; do
  command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
slurm missing "$missing"
if [ -z "$missing" ]; then
  slurm version "$(timeout 5 sbatch --version 2>/dev/null </dev/null)"
  words=$(timeout 12 scontrol show partition -o 2>&1 </dev/null)
  code=$?
  printf '%s\n' "$words" | sed -n 's/^ *PartitionName=/@ partition /p'
  if [ "$code" -ne 0 ]; then
    slurm words "$code" "$(short "$words")"
  else
    slurm listed
    slurm accounting "$(timeout 12 scontrol show config 2>/dev/null </dev/null | sed -n 's/^AccountingStorageType *= *//p')"
    words=$(timeout 12 sbatch --test-only '--partition=main' '--comment=it'\''s' --wrap=: 2>&1 </dev/null)
    slurm trial "$?" "$(short "$words")"
  fi
fi