#!/bin/sh
# Towline task script, format 1: attempt k3f9a2.1. Starts the container; "sh run.sh" works by hand.
# shellcheck disable=SC2016,SC1003 # words for the container are not for this shell to expand
mode=$1
cd '/srv/a:b, "c" $d/it'\''s/tasks/d/k3f9a2.1' || exit 125
{ true >&3; } 2>/dev/null || exec 3>&1
{ true >&4; } 2>/dev/null || exec 4>&2
{ true >&5; } 2>/dev/null || exec 5>/dev/null
[ -z "${TOWLINE_UMASK-}" ] || umask "$TOWLINE_UMASK"
eval 'module load apptainer; echo loaded' >/dev/null 2>&1 </dev/null
(umask 077; printf '%s\n' '/scratch/big one/towline-k3f9a2.1' >scratch)
mkdir -m 700 '/scratch/big one/towline-k3f9a2.1' '/scratch/big one/towline-k3f9a2.1'/tmp '/scratch/big one/towline-k3f9a2.1'/vartmp 2>/dev/null || [ -O '/scratch/big one/towline-k3f9a2.1' ] || exit 125
export APPTAINERENV_V0=''
export APPTAINERENV_V1=' '
export APPTAINERENV_V2='a b'
export APPTAINERENV_V3='two
lines
'
export APPTAINERENV_V4='tab	andreturn'
export APPTAINERENV_V5='it'\''s "quoted"'
export APPTAINERENV_V6='$(touch /tmp/owned)'
export APPTAINERENV_V7='`id`'
export APPTAINERENV_V8='$HOME ${HOME} $$'
export APPTAINERENV_V9='*'
export APPTAINERENV_V10='?[a-z]'
export APPTAINERENV_V11='-rf'
export APPTAINERENV_V12='--'
export APPTAINERENV_V13='a,b=c:d'
export APPTAINERENV_V14='\'
export APPTAINERENV_V15='\n\0'
export APPTAINERENV_V16='%s%n'
export APPTAINERENV_V17='!history'
export APPTAINERENV_V18='~'
export APPTAINERENV_V19='#no comment'
export APPTAINERENV_V20='ünïcödé 漢字 🚢'
export APPTAINERENV_V21='; true'
export APPTAINERENV_V22='&& true || false |'
export APPTAINERENV_V23='<in >out'
export APPTAINERENV_V24=''\''\'\'''\'''
export APPTAINERENV_TOWLINE_TASK='k3f9a2'
export APPTAINERENV_TOWLINE_ATTEMPT='k3f9a2.1'
set -- exec --pwd '/mnt/task/work' \
  --containall --cleanenv --no-eval \
  --home './home:/mnt/task/home' \
  --mount 'type=bind,"src=/srv/a:b, ""c"" $d/it'\''s/tasks/d/k3f9a2.1/work",dst=/mnt/task/work' \
  --mount 'type=bind,"src=/scratch/big one/towline-k3f9a2.1/tmp",dst=/tmp' \
  --mount 'type=bind,"src=/scratch/big one/towline-k3f9a2.1/vartmp",dst=/var/tmp' \
  --mount 'type=bind,"src=/srv/a:b, ""c"" $d/it'\''s/tasks/d/k3f9a2.1/inputs",dst=/mnt/task/inputs,ro' \
  --mount 'type=bind,"src=/scratch/ref genome",dst=/mnt/task/inputs/ref,ro' \
  --mount 'type=bind,"src=/srv/a:b, ""c"" $d/it'\''s/tasks/d/k3f9a2.1/mounts/0",dst=/data,ro' \
  --mount 'type=bind,"src=/srv/a, ""b"" $c:d","dst=/mnt/x y"' \
  '--nv' \
  '/home/alice/.towline/images/mini.sif'
if [ "$mode" = direct ]; then
  set -- --silent "$@"
  exec env --default-signal=INT,QUIT '/usr/bin/apptainer' "$@" 'printf' '' ' ' 'a b' 'two
lines
' 'tab	andreturn' 'it'\''s "quoted"' '$(touch /tmp/owned)' '`id`' '$HOME ${HOME} $$' '*' '?[a-z]' '-rf' '--' 'a,b=c:d' '\' '\n\0' '%s%n' '!history' '~' '#no comment' 'ünïcödé 漢字 🚢' '; true' '&& true || false |' '<in >out' ''\''\'\'''\''' >&3 2>&4 3>&- 4>&- 5>&-
fi
exec env --default-signal=INT,QUIT '/usr/bin/apptainer' "$@" /bin/sh -c 'echo started >&5; trap : HUP INT TERM; (exec "$@") >&3 2>&4 3>&- 4>&- 5>&-; c=$?; echo "$c" >&5; exit "$c"' sh 'printf' '' ' ' 'a b' 'two
lines
' 'tab	andreturn' 'it'\''s "quoted"' '$(touch /tmp/owned)' '`id`' '$HOME ${HOME} $$' '*' '?[a-z]' '-rf' '--' 'a,b=c:d' '\' '\n\0' '%s%n' '!history' '~' '#no comment' 'ünïcödé 漢字 🚢' '; true' '&& true || false |' '<in >out' ''\''\'\'''\'''
