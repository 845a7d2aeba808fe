# shellcheck shell=bash
# Sourced after stage.sh: what the tests had generated for hosts is kept, once by its shape, and checked at the end.

KEPT_SCRIPTS=$REPO/.testbed/scripts
# in every process of the tests: the runner, its workers, daemons
KEEP_PRELOAD=$REPO/test/support/kept-scripts/preload.mjs

forget_kept_scripts() {
  rm -rf "$KEPT_SCRIPTS"
  mkdir -p "$KEPT_SCRIPTS"
}

# keeping_scripts COMMAND…: runs it and all that it starts so that generated scripts are kept
keeping_scripts() {
  TOWLINE_KEEP_SCRIPTS=$KEPT_SCRIPTS NODE_OPTIONS="${NODE_OPTIONS:-} --import \"file://$KEEP_PRELOAD\"" "$@"
}

# A typographic quote in the value of a user, between quotes of ours, is what he wrote.
USERS_OWN=SC1110,SC1111,SC1112
# The parts of a launch and the rest: each is POSIX sh, most have no first line of their own.
check_kept_scripts() {
  local kept said
  stage "generated scripts (shellcheck)"
  mapfile -t kept < <(find "$KEPT_SCRIPTS" -name '*.sh' | sort)
  if [ "${#kept[@]}" -eq 0 ]; then
    ready "none was generated"
    return
  fi
  if said=$(printf '%s\0' "${kept[@]}" | xargs -0 -P 2 -n 10 shellcheck -s sh -S style -e "$USERS_OWN"); then
    ready "${#kept[@]} kinds passed"
    return
  fi
  printf '%s\n' "$said"
  echo "   made by: $(sed -n 's|^In .*/\([A-Za-z_]*\)\..* line .*|\1|p' <<<"$said" | sort -u | paste -sd' ') of src/script"
  ready FAILED
  return 1
}
