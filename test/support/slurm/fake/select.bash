# shellcheck shell=bash
# Sourced by the fake commands that look at jobs: which ones are meant by ids, names, owner and states.

IDS='' NAMES='' WHOSE='' STATES='' PARTITION=''
# what select_jobs found, as ids; UNKNOWN is `only` when ids were asked for and none of them exists
SELECTED=()
export UNKNOWN=

in_list() { [[ ,${2^^}, == *,${1^^},* ]]; }

# without -t: what is not over; the accounts know the others, the queue only with -t and for a while
state_asked() {
  case ${STATES,,} in
    '') ! is_over ;;
    all) true ;;
    *) in_list "$(shown_state)" "$STATES" ;;
  esac
}

id_asked() {
  local wanted
  for wanted in ${IDS//,/ }; do if matches "$wanted"; then return 0; fi; done
  return 1
}

# The lock is held.
select_jobs() {
  local id found=''
  for id in $(job_ids); do
    take_job "$id"
    if is_forgotten && [ "$COMMAND" != sacct ]; then continue; fi
    if [ -n "$IDS" ]; then
      id_asked || continue
      found=yes
    fi
    if [ -n "$NAMES" ] && [[ ,$NAMES, != *,${J[name]},* ]]; then continue; fi
    if [ -n "$WHOSE" ] && [[ ,$WHOSE, != *,${J[user]},* ]]; then continue; fi
    if [ -n "$PARTITION" ] && ! in_list "${J[partition]}" "$PARTITION"; then continue; fi
    if state_asked; then SELECTED+=("$id"); fi
  done
  # of several ids the unknown ones are missing without a word
  if [ -n "$IDS" ] && [[ $IDS != *,* ]] && [ -z "$found" ]; then UNKNOWN=only; fi
}
