f='/srv/it'\''s one.sif'
if [ -f "$f" ] && [ -r "$f" ]; then
  record=''
  [ -r "${f%.sif}.json" ] && read -r record <"${f%.sif}.json"
  echo "@ bytes $(wc -c <"$f")"
  [ -z "$record" ] || printf '%s\n' "@ record $record"
fi
echo '@ done'