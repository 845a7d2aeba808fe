cd '/home/alice/.towline/kept/d1/t.1' 2>/dev/null || { echo '@ lacks'; exit 0; }
all() {
  for o; do
    [ -f "$o" ] || { echo '@ lacks' && exit 0; }
  done
}
all 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-0444'
echo '@ held'