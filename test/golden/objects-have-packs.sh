cd '/home/alice/.towline/store' || { echo '@ failed no-store'; exit 0; }
tree=''
have() {
  tree="$tree $*"
  # used just now: gc leaves it
  touch -c "$@" 2>/dev/null
  for o; do
    if [ -f "$o" ]; then
      echo "@ have $o"
    elif [ -f ".part/$o."'0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f' ]; then
      echo "@ part $(wc -c <".part/$o."'0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f') $o"
    fi
  done
}
have 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855-0444' 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855-0555'
for p in .part/pack-*.0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f; do
  [ -f "$p" ] || continue
  echo "@ pack $(wc -c <"$p") ${p#.part/}"
done
command -v tar >/dev/null 2>&1 || echo '@ tarless'
echo '@ done'