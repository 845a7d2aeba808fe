eval 'module load apptainer' >/dev/null 2>&1 </dev/null
if command -v 'apptainer' >/dev/null 2>&1; then echo '@ yes'; else echo '@ no'; fi