# shellcheck shell=bash
# Sourced by scripts/testbed: the images of the bed. Each is tagged with a hash of its recipe, so a second
# `up` finds it, a changed recipe makes a new one, and one that was interrupted half-way has no tag at all.

HOSTS=$REPO/test/bed/hosts
CONTENT=$REPO/test/bed/images
PACKAGES=$REPO/test/bed/packages
SUITE=${TOWLINE_BED_SUITE:-sid}
# the tag of the task images in the registry
CONTENT_IMAGES=(mini busy noshell big)

digest_of() { sha256sum | cut -c 1-12; }

# the content and the names of all files below a directory, in one order everywhere
tree_text() { (cd "$1" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum); }

package_list() { grep -v '^#' "$PACKAGES" | paste -sd , -; }

recipes() {
  BASE_HASH=$({ echo "$SUITE" && package_list; } | digest_of)
  HOSTS_HASH=$({ echo "$BASE_HASH" && tree_text "$HOSTS"; } | digest_of)
  CONTENT_HASH=$({ echo "$BASE_HASH" && tree_text "$CONTENT"; } | digest_of)
  BASE_IMAGE=towline-bed/base:$BASE_HASH
  export TOWLINE_BED_VM_IMAGE=towline-bed/vm:$HOSTS_HASH
  export TOWLINE_BED_REGISTRY_IMAGE=towline-bed/registry:$HOSTS_HASH
}

have_image() { docker image inspect "$1" >/dev/null 2>&1; }

# The first archive this machine gets "main" of a plain Debian suite from: "URI" on one line. apt itself reads
# its sources, in whichever of its two forms they are.
debian_archive() {
  # shellcheck disable=SC2016 # $(…) are apt's own placeholders
  apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk -F '|' '$1 == "Debian" && $2 == "Debian" && $3 == "main" { print $4; exit }'
}

# The key ring the sources name, else Debian's own, else none: mmdebstrap then looks for one itself.
archive_keyring() {
  local named
  named=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
    grep -ioE 'signed-by[=:] *[^] ]*debian[^] ]*' | head -n 1 | sed -E 's/^[^=:]*[=:] *//' || true)
  for named in "$named" /usr/share/keyrings/debian-archive-keyring.gpg; do
    if [ -f "$named" ]; then
      echo "$named"
      return
    fi
  done
}

# What the machine's apt needs to reach its archive (proxies, certificates, retries), as options for mmdebstrap.
apt_options() {
  apt-config dump | grep -iE '^Acquire::(https?|ftp|Retries|ForceIPv[46])(::[^ ]*)? "[^"]+";$' | sed 's/^/--aptopt=/' || true
}

# Debian on a root account makes the base by itself; elsewhere it takes a pulled Debian.
bootstrap_possible() { command -v mmdebstrap >/dev/null || { is_root && command -v apt-get >/dev/null; }; }

bootstrap_base() {
  local uri keyring signed='' log=$BED/base.log options
  need mmdebstrap mmdebstrap
  uri=$(debian_archive)
  if [ -z "$uri" ]; then
    refresh_package_lists
    uri=$(debian_archive)
  fi
  [ -n "$uri" ] || die "no Debian archive among this machine's apt sources" "add Debian's main archive to /etc/apt/sources.list.d"
  keyring=$(archive_keyring)
  if [ -n "$keyring" ]; then signed="[signed-by=$keyring] "; fi
  mapfile -t options < <(apt_options)
  if is_root; then options+=(--mode=root); fi
  # what an interrupted run left; never across a mount
  rm -rf --one-file-system "$BED"/tmp/base.tar "$BED"/tmp/mmdebstrap.*
  note "making a Debian $SUITE base image with mmdebstrap, log in $log"
  : >"$log"
  # sid's release file is sometimes past its date; documentation and translations would only cost time.
  # The hook removes the apt options again: they are this machine's, not the image's.
  # shellcheck disable=SC2016 # $1 is the hook's own
  TMPDIR=$BED/tmp quietly "$log" "see the log; when the archive was out of step, try again later" \
    mmdebstrap --variant=essential --include="$(package_list)" --format=tar \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "3"' "${options[@]}" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --customize-hook='rm -f "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/apt/sources.list' \
    "$SUITE" "$BED/tmp/base.tar" "deb ${signed}${uri} $SUITE main"
  quietly "$log" "see the log" docker import "$BED/tmp/base.tar" "$BASE_IMAGE"
  rm -f "$BED/tmp/base.tar"
}

pull_base() {
  local log=$BED/base.log
  note "pulling debian:$SUITE-slim and installing the packages into it, log in $log"
  : >"$log"
  have_image "debian:$SUITE-slim" || quietly "$log" "check that docker can pull, or run scripts/testbed up as root on Debian" \
    timeout 600 docker pull "debian:$SUITE-slim"
  mkdir -p "$BED/tmp/base"
  {
    echo "FROM debian:$SUITE-slim"
    echo "RUN apt-get -o Acquire::Check-Valid-Until=false update \\"
    echo " && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(package_list | tr , ' ') \\"
    echo " && rm -rf /var/lib/apt/lists/*"
  } >"$BED/tmp/base/Dockerfile"
  quietly "$log" "see the log; when the archive was out of step, try again later" \
    docker_build -t "$BASE_IMAGE" "$BED/tmp/base"
}

# Old engines and clients without the buildx plugin build with the classic builder.
docker_build() {
  if docker buildx version >/dev/null 2>&1; then
    docker buildx build --load "$@"
  else
    DOCKER_BUILDKIT=0 docker build --force-rm "$@"
  fi
}

base_image() {
  if have_image "$BASE_IMAGE"; then return; fi
  case ${TOWLINE_BED_BASE:-auto} in
    pull) pull_base ;;
    bootstrap) bootstrap_base ;;
    *) if bootstrap_possible; then bootstrap_base; else pull_base; fi ;;
  esac
}

# build_missing DIRECTORY HASH NAME…: the named targets of a Containerfile, as towline-bed/NAME:HASH
build_missing() {
  local directory=$1 hash=$2 name
  shift 2
  for name in "$@"; do
    if have_image "towline-bed/$name:$hash"; then continue; fi
    base_image
    note "building $name"
    quietly "$BED/build.log" "see $BED/build.log" docker_build --build-arg "BASE=$BASE_IMAGE" \
      -f "$directory/Containerfile" --target "$name" -t "towline-bed/$name:$hash" "$directory"
  done
}

# The classic builder leaves the stages it went through as images without a name.
remove_stages() { docker image prune --force --filter label=io.towline.bed.stage >/dev/null; }

images_up() {
  stage "host images"
  : >"$BED/build.log"
  mkdir -p "$BED/tmp"
  build_missing "$HOSTS" "$HOSTS_HASH" vm registry
  ready
}

# The registry's own word, by HTTP over bash's /dev/tcp: a bare machine has no curl.
registry_status() {
  local path=$1
  (
    exec 3<>"/dev/tcp/127.0.0.1/$REGISTRY_PORT" || exit 1
    printf 'HEAD %s HTTP/1.0\r\nHost: 127.0.0.1\r\nAccept: %s\r\n\r\n' "$path" \
      'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json' >&3
    read -r -t 5 _ status _ <&3 && echo "$status"
  ) 2>/dev/null
}

registry_answers() { [ "$(registry_status /v2/)" = 200 ]; }

in_registry() { [ "$(registry_status "/v2/$1/manifests/$2")" = 200 ]; }

# push IMAGE NAME:TAG: engines take registries on the loopback address without TLS
push() {
  local remote=127.0.0.1:$REGISTRY_PORT/$2
  docker tag "$1" "$remote"
  quietly "$BED/push.log" "see $BED/push.log, and: scripts/testbed logs registry" docker push "$remote"
  docker rmi "$remote" >/dev/null
}

# The second tag carries the recipe, so that one question to the registry tells whether :1 is up to date.
content_up() {
  local name pushed=''
  stage "task images"
  : >"$BED/push.log"
  # `scripts/testbed image` builds on it
  build_missing "$CONTENT" "$CONTENT_HASH" mini
  for name in "${CONTENT_IMAGES[@]}"; do
    if in_registry "$name" "recipe-$CONTENT_HASH" && in_registry "$name" 1; then continue; fi
    build_missing "$CONTENT" "$CONTENT_HASH" "$name"
    note "pushing $name:1"
    push "towline-bed/$name:$CONTENT_HASH" "$name:1"
    push "towline-bed/$name:$CONTENT_HASH" "$name:recipe-$CONTENT_HASH"
    pushed=yes
  done
  # at the end: the next image of the loop is built from the same stage
  if [ -n "$pushed" ]; then remove_stages; fi
  ready
}

# fresh_image NAME:TAG [MB]: mini with a layer nobody has pulled yet, of as many random megabytes as asked for
fresh_image() {
  local target=$1 megabytes=${2:-0} directory
  [[ $target == *:* ]] || die "an image needs a tag: $target" "scripts/testbed image NAME:TAG [MB]"
  if ! have_image "towline-bed/mini:$CONTENT_HASH"; then
    # two builds of a base image would clear each other's temporary files away
    lock
    build_missing "$CONTENT" "$CONTENT_HASH" mini
    remove_stages
  fi
  directory=$(mktemp -d "$BED/tmp/image.XXXXXX")
  mkdir "$directory/fresh"
  printf '%s %s\n' "$target" "$EPOCHREALTIME$RANDOM" >"$directory/fresh/id"
  if [ "$megabytes" -gt 0 ]; then head -c "${megabytes}M" /dev/urandom >"$directory/fresh/ballast"; fi
  printf 'FROM towline-bed/mini:%s\nCOPY fresh /usr/share/fresh\n' "$CONTENT_HASH" >"$directory/Dockerfile"
  quietly "$BED/push.log" "see $BED/push.log" docker_build -t "towline-bed/fresh:${directory##*.}" "$directory"
  push "towline-bed/fresh:${directory##*.}" "$target"
  docker rmi "towline-bed/fresh:${directory##*.}" >/dev/null
  rm -rf "$directory"
  echo "registry:5000/$target"
}
