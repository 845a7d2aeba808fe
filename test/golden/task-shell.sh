#!/bin/sh
# Towline task script, format 1: attempt k3f9a2.1. Starts the container; "sh run.sh" works by hand.
# shellcheck disable=SC2016,SC1003 # words for the container are not for this shell to expand
mode=$1
cd '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' || exit 125
{ true >&3; } 2>/dev/null || exec 3>&1
{ true >&4; } 2>/dev/null || exec 4>&2
{ true >&5; } 2>/dev/null || exec 5>/dev/null
[ -z "${TOWLINE_UMASK-}" ] || umask "$TOWLINE_UMASK"
export APPTAINERENV_GREETING='hello world'
export APPTAINERENV_TOWLINE_TASK='k3f9a2'
export APPTAINERENV_TOWLINE_ATTEMPT='k3f9a2.1'
set -- exec --pwd '/mnt/task/work' \
  --containall --cleanenv --no-eval \
  --home '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/home:/mnt/task/home' \
  --mount 'type=bind,src=/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/work,dst=/mnt/task/work' \
  --mount 'type=bind,src=/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/tmp,dst=/tmp' \
  --mount 'type=bind,src=/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/vartmp,dst=/var/tmp' \
  --mount 'type=bind,src=/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/command,dst=/mnt/task/command,ro' \
  --mount 'type=bind,src=/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/inputs,dst=/mnt/task/inputs,ro' \
  --mount 'type=bind,src=/data,dst=/data,ro' \
  '--nv' \
  '/home/alice/.towline/images/mini.sif'
if [ "$mode" = direct ]; then
  echo noshell >&5; exit 126
fi
exec env --default-signal=INT,QUIT '/usr/bin/apptainer' "$@" /bin/sh -c 'echo started >&5; trap : HUP INT TERM; (exec "$@") >&3 2>&4 3>&- 4>&- 5>&-; c=$?; echo "$c" >&5; exit "$c"' sh '/bin/zsh' /mnt/task/command
