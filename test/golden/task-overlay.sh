#!/bin/sh
# Towline task script, format 1: attempt k3f9a2.1. Starts the container; "sh run.sh" works by hand.
# shellcheck disable=SC2016,SC1003 # words for the container are not for this shell to expand
mode=$1
cd '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' || exit 125
{ true >&3; } 2>/dev/null || exec 3>&1
{ true >&4; } 2>/dev/null || exec 4>&2
{ true >&5; } 2>/dev/null || exec 5>/dev/null
[ -z "${TOWLINE_UMASK-}" ] || umask "$TOWLINE_UMASK"
(umask 077; printf '%s\n' '/scratch/it'\''s mine/towline-k3f9a2.1' >scratch)
mkdir -m 700 '/scratch/it'\''s mine/towline-k3f9a2.1' '/scratch/it'\''s mine/towline-k3f9a2.1'/tmp '/scratch/it'\''s mine/towline-k3f9a2.1'/vartmp 2>/dev/null || [ -O '/scratch/it'\''s mine/towline-k3f9a2.1' ] || exit 125
if ! [ -e ./overlay.img ]; then
  if [ -O ../.overlay.1024.0/image ] && cp --sparse=always ../.overlay.1024.0/image ./.overlay.part 2>/dev/null; then mv ./.overlay.part ./overlay.img; fi
fi
if ! [ -e ./overlay.img ]; then
  rm -f ./.overlay.part
  said=$( (umask 077; '/usr/bin/apptainer' overlay create --sparse --size 1024 ./overlay.img) 2>&1 </dev/null)
  case $said in *'unknown flag'*) said=$( (umask 077; '/usr/bin/apptainer' overlay create --size 1024 ./overlay.img) 2>&1 </dev/null) ;; esac
  if ! [ -s ./overlay.img ]; then
    rm -f ./overlay.img
    printf '%s\n%s\n' "$said" 'towline: the overlay could not be made' >&2
    exit 125
  fi
  case $(stat -f -c %T . 2>/dev/null) in
    ext* | xfs | btrfs | f2fs | zfs | tmpfs | overlayfs)
      (umask 077; mkdir -p ../.overlay.1024.0; cp --sparse=always ./overlay.img '../.overlay.1024.0/image.k3f9a2.1' && sync '../.overlay.1024.0/image.k3f9a2.1' && ln '../.overlay.1024.0/image.k3f9a2.1' ../.overlay.1024.0/image; rm -f '../.overlay.1024.0/image.k3f9a2.1') >/dev/null 2>&1
      ;;
  esac
fi
export APPTAINERENV_GREETING='hello world'
export APPTAINERENV_TOWLINE_TASK='k3f9a2'
export APPTAINERENV_TOWLINE_ATTEMPT='k3f9a2.1'
set -- exec --pwd '/mnt/task/work' \
  --containall --cleanenv --no-eval \
  --home '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/home:/mnt/task/home' \
  --mount 'type=bind,src=/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/work,dst=/mnt/task/work' \
  --mount 'type=bind,"src=/scratch/it'\''s mine/towline-k3f9a2.1/tmp",dst=/tmp' \
  --mount 'type=bind,"src=/scratch/it'\''s mine/towline-k3f9a2.1/vartmp",dst=/var/tmp' \
  --mount 'type=bind,src=/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/inputs,dst=/mnt/task/inputs,ro' \
  --mount 'type=bind,src=/data,dst=/data,ro' \
  --overlay ./overlay.img \
  --net --network 'none' \
  '--nv' \
  '/home/alice/.towline/images/mini.sif'
if [ "$mode" = direct ]; then
  set -- --silent "$@"
  exec env --default-signal=INT,QUIT '/usr/bin/apptainer' "$@" 'sh' '-c' 'echo out; echo err >&2; exit 42' >&3 2>&4 3>&- 4>&- 5>&-
fi
exec env --default-signal=INT,QUIT '/usr/bin/apptainer' "$@" /bin/sh -c 'echo started >&5; trap : HUP INT TERM; (exec "$@") >&3 2>&4 3>&- 4>&- 5>&-; c=$?; echo "$c" >&5; exit "$c"' sh 'sh' '-c' 'echo out; echo err >&2; exit 42'
