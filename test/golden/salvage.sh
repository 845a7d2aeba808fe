n='n1'
cd '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' || { echo '@ failed no-directory'; exit 0; }
code='' started='' record=''
if [ -s rc ]; then
  while read -r word _; do
    case $word in
      started) started=1 ;;
      '' | *[!0-9]*) ;;
      *) code=$word ;;
    esac
  done <rc
fi
limit=''
[ -e ".time.$n" ] && limit='time'
for stream in stdout stderr; do
  copied=''
  [ -s ".copied.$stream.$n" ] && read -r copied <".copied.$stream.$n"
  [ "$copied" = 153 ] && limit=${limit:-$stream}
done
[ -r ".exit.$n" ] && IFS= read -r record <".exit.$n"
# shellcheck disable=SC2046 # six numbers
set -- $(stat -c '%s %Y' stdout stderr rc 2>/dev/null)
echo "@ left ${code:--} ${started:--} ${limit:--} ${1:-0} ${3:-0} ${6:-0} $record"