# shellcheck shell=bash
# Sourced: `use_node` puts a Node that is new enough first in PATH.

NODE_MINIMUM=24

# The system's Node when it is new enough, else the one that npm brought as an optional dependency: its
# package holds the program itself, so that nothing has to be downloaded by an install script.
use_node() {
  local repo=$1 version='' bundled
  if version=$(node -v 2>/dev/null); then
    version=${version#v}
    if [ "${version%%.*}" -ge "$NODE_MINIMUM" ]; then return; fi
  fi
  for bundled in "$repo"/node_modules/node-linux-*/bin; do
    if [ -x "$bundled/node" ]; then
      PATH=$bundled:$PATH
      export PATH
      return
    fi
  done
  printf 'Node %s or newer is needed; this machine has %s, and node_modules has none.\n' \
    "$NODE_MINIMUM" "${version:-none}" >&2
  printf '  next: npm install --no-save --ignore-scripts (in %s), which brings one\n' "$repo" >&2
  return 1
}
