runtime='/usr/bin/apptainer' images="${HOME:?}"'/.towline/images' dir='/home/alice/tow line'/.probe.doctor.$$
mkdir -m 700 "$dir" || { echo '@ none no directory'; echo '@ done'; exit 0; }
trap 'chmod -R u+rwx "$dir" 2>/dev/null; rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
export APPTAINER_TMPDIR="$dir" APPTAINER_CACHEDIR="$dir/cache" SINGULARITY_TMPDIR="$dir" SINGULARITY_CACHEDIR="$dir/cache"
make_image() {
  box=$dir/box
  mkdir -p "$box/bin" "$box/tmp" "$box/etc" "$box/proc" "$box/sys" "$box/dev" "$box/root" "$box/var/tmp" "$box/mnt" || return 1
  shell=$(readlink -f /bin/sh)
  cp "$shell" "$box/bin/sh" || return 1
  : >"$box/etc/passwd"
  : >"$box/etc/group"
  for lib in $(ldd "$shell" 2>/dev/null | tr '[:blank:]' '\n' | grep '^/'); do
    mkdir -p "$box${lib%/*}" && cp "$lib" "$box$lib" || return 1
  done
  "$runtime" build "$dir/tiny.sif" "$box" >"$dir/log" 2>&1 </dev/null
}
image=$(for f in "$images"/*.sif; do [ -f "$f" ] && [ -r "${f%.sif}.json" ] && stat -c "%s %n" "$f"; done 2>/dev/null | sort -n | head -n 1)
image=${image#* }
if [ -n "$image" ]; then printf '%s\n' "@ cached $image"
elif make_image; then image=$dir/tiny.sif; printf '%s\n' "@ made $image"
else printf '%s\n' "@ none $(tail -n 1 "$dir/log" 2>/dev/null | cut -c 1-300)"; echo '@ done'; exit 0; fi
mkdir -p "$dir/home"
cd "$dir" || exit 0
began=$(date +%s%N)
"$runtime" exec --containall --cleanenv --home "$dir/home:/root" "$image" /bin/sh -c : >"$dir/log" 2>&1 </dev/null
echo "@ code $?"
ended=$(date +%s%N)
case $began$ended in *[!0-9]*) ;; *) echo "@ ms $(((ended - began) / 1000000))" ;; esac
tail -n 20 "$dir/log" | cut -c 1-500
echo '@ done'