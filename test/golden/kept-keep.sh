# shellcheck disable=SC2016 # names are taken as they are
cd '/home/alice/.towline/store' || { echo '@ failed no-store'; exit 0; }
hold='/home/alice/.towline/kept/d1/t.1' n='n1' i=0
umask 077
mkdir -p "$hold" || { echo '@ failed mkdir'; exit 0; }
put() {
  [ -f "$2" ] && return 0
  ln "$1" "$2" 2>/dev/null && return 0
  # another owner, another file system, or as many links as there can be
  part=$hold/.part.$n
  cp "$1" "$part" && chmod "$mode" "$part" && { sync "$part" 2>/dev/null || sync; } && mv "$part" "$2"
}
# gc may take an object between its making and the link that holds it
held() {
  tries=0
  until ln "$2" "$hold/$2" 2>/dev/null || [ -f "$hold/$2" ]; do
    [ "$tries" -lt 5 ] || return 1
    tries=$((tries + 1))
    put "$1" "$2" || return 1
  done
}
keep() {
  for f; do
    mode=0444
    [ -x "$f" ] && mode=0555
    if [ -L "$f" ] || ! [ -f "$f" ]; then
      echo "@ unread $i"
    else
      # nobody writes to an object
      chmod "$mode" "$f" 2>/dev/null
      if sum=$(sha256sum <"$f"); then
        sum=${sum%% *}
        if ! put "$f" "$sum-$mode" || ! held "$f" "$sum-$mode"; then echo '@ failed keep' && exit 0; fi
        echo "@ kept $i $sum $mode"
      else
        echo "@ unread $i"
      fi
    fi
    i=$((i + 1))
  done
}
keep '/srv/it'\''s one' '/srv/$(two)'
sync . "$hold" 2>/dev/null || sync
echo '@ done'