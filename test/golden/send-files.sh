# shellcheck disable=SC2016 # names are taken as they are
send() {
  for f; do if [ -L "$f" ] || ! [ -f "$f" ]; then exit 9; fi; done
  cat "$@" || exit 9
}
send '/srv/it'\''s one' '/srv/$(two)'