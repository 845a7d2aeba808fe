# shellcheck disable=SC2016 # names are taken as they are
i=0
one() {
  if [ -f "$1" ] && [ ! -L "$1" ] && sum=$(sha256sum <"$1"); then echo "@ sum $i ${sum%% *}"; else echo "@ unread $i"; fi
  i=$((i + 1))
}
# many by one program, unless one of them is not what it should be
sums() {
  odd=''
  for f; do if [ -L "$f" ] || ! [ -f "$f" ]; then odd=1; fi; done
  if [ -z "$odd" ] && said=$(sha256sum "$@") && [ "$(printf '%s\n' "$said" | wc -l)" -eq $# ]; then
    while read -r sum _; do
      echo "@ sum $i ${sum#\\}"
      i=$((i + 1))
    done <<E
$said
E
  else
    for f; do one "$f"; done
  fi
}
sums '/srv/it'\''s one' '/srv/$(two)'
echo '@ done'