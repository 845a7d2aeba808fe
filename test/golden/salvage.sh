n='n1'
cd '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' || { echo '@ failed no-directory'; exit 0; }
code='' record=''
if [ -s rc ]; then
  while read -r word _; do
    case $word in
      '' | *[!0-9]*) ;;
      *) code=$word ;;
    esac
  done <rc
fi
limit='' copier=''
[ -e ".time.$n" ] && limit='time'
for stream in stdout stderr; do
  copied=0
  # no code in it: nothing lives any more, so the copier's shell was killed too
  [ -s ".copied.$stream.$n" ] && read -r copied <".copied.$stream.$n"
  case $copied in
    0) ;;
    153) limit=${limit:-$stream} ;;
    *) copier=$stream ;;
  esac
done
[ -r ".exit.$n" ] && IFS= read -r record <".exit.$n"
# shellcheck disable=SC2046 # six numbers
set -- $(stat -c '%s %Y' stdout stderr rc 2>/dev/null)
echo "@ left ${code:--} ${copier:--} ${limit:--} ${1:-0} ${3:-0} ${6:-0} $record"