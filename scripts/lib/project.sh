# shellcheck shell=bash
# Sourced after stage.sh and node.sh: the stages that several scripts begin with.

# npm writes node_modules/.package-lock.json last, so it stands for a complete install. Versions and hashes are
# those of package-lock.json. Not `npm ci`: it refuses the whole lock file when the registry does not have the
# binaries of some other platform, which are optional. Install scripts are not run: nothing needs one.
install_stage() {
  stage "dependencies"
  mkdir -p "$REPO/.testbed"
  local installed=$REPO/node_modules/.package-lock.json
  if [ -f "$installed" ] && [ ! "$REPO/package-lock.json" -nt "$installed" ]; then
    use_node "$REPO"
    ready "up to date, Node $(node -v)"
    return
  fi
  command -v npm >/dev/null || die "npm is missing" "install it (on Debian, as root: apt-get install npm), then run this again"
  note "npm install, log in .testbed/npm.log"
  : >"$REPO/.testbed/npm.log"
  quietly "$REPO/.testbed/npm.log" "see .testbed/npm.log; check that npm reaches its registry with: npm ping" \
    npm --prefix "$REPO" install --no-save --ignore-scripts --no-audit --no-fund
  # npm leaves the file alone when it found nothing to do
  touch "$installed"
  use_node "$REPO"
  ready "installed, Node $(node -v)"
}

# Whether dist/main.js is there and no source is newer; no process is started.
dist_is_current() {
  local main=$REPO/dist/main.js file
  [ -f "$main" ] || return 1
  for file in "$REPO"/tsconfig*.json "$REPO"/src/*.ts "$REPO"/src/*/*.ts "$REPO"/src/*/*/*.ts "$REPO"/src/*/*/*/*.ts; do
    if [ "$file" -nt "$main" ]; then return 1; fi
  done
}

# dist is made anew, so that no file of a removed source stays; one that did not compile is not left behind.
build_stage() {
  stage "build"
  if dist_is_current; then
    ready "up to date"
    return
  fi
  rm -rf "$REPO/dist"
  npm --prefix "$REPO" run --silent build || {
    rm -rf "$REPO/dist"
    die "the build failed" "mend what is shown above; npm run build shows it again"
  }
  ready
}
