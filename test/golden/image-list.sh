dir='/srv/towline/images'
if cd "$dir" 2>/dev/null; then
  for f in *.sif; do
    [ -f "$f" ] || continue
    record=''
    [ -r "${f%.sif}.json" ] && read -r record <"${f%.sif}.json"
    printf '%s\n' "@ image $PWD/$f"
    [ -z "$record" ] || echo "@ record $record"
  done
fi
echo '@ done'