# shellcheck disable=SC2016 # names are taken as they are
i=0
set -- '/srv/it'\''s one' '/srv/$(two)'
for f; do
  if [ -f "$f" ] && [ ! -L "$f" ] && sum=$(sha256sum <"$f"); then echo "@ sum $i ${sum%% *}"; else echo "@ unread $i"; fi
  i=$((i + 1))
done
echo '@ done'