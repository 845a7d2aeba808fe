eval 'module load slurm; echo '\''loud'\''' >/dev/null 2>&1 </dev/null
exec srun --jobid='13_4' --overlap --ntasks=1 --nodes=1 --chdir=/ --quiet --pty /bin/sh -c 'echo '\''it'\'''