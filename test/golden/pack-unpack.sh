cd '/home/alice/.towline/store' || { echo '@ failed no-store'; exit 0; }
store=$PWD pack='.part/pack-ade399a65044dba2fd28f7bc2ed2bb798343160bdaf7bfe7e690647db5ec1eb5.0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f'
dir=$pack.d.n5 count=2
fail() {
  cd "$store" && rm -rf "$pack" "$dir"
  echo "@ failed $1"
  exit 0
}
[ -f "$pack" ] || { echo '@ gone'; exit 0; }
# what an earlier run was cut off in
rm -rf "$pack".d.*
mkdir "$dir" || fail 'no directory can be made'
cd "$dir" || fail 'no directory can be entered'
# with the modes of the objects, whatever the umask is
tar xmopf "$store/$pack" || fail unpacking
# so that the sync need not write it as well
rm -f "$store/$pack"
# shellcheck disable=SC2046 # two numbers
set -- $(find . -type f -exec sha256sum {} + |
  awk '{ sub(/^[*]/, "", $2); if (index($2, "./" $1 "-") == 1) good++; else bad++ } END { print good + 0, bad + 0 }')
if [ "$*" != "$count 0" ]; then
  cd "$store" && rm -rf "$pack" "$dir"
  echo '@ mismatch'
  exit 0
fi
# once for all of them: each for itself takes a hundred times as long
{ sync -f . 2>/dev/null || sync; } || fail sync
# never over one that is there; what does not go that way goes one by one
# shellcheck disable=SC2016 # the shell within expands it
find . -type f -exec sh -c 'mv -n "$@" "$0" 2>/dev/null' "$store" {} +
for o in *; do [ ! -f "$o" ] || [ -f "$store/$o" ] || mv "$o" "$store/$o" || fail publish; done
cd "$store" && rm -rf "$pack" "$dir"
echo '@ published'