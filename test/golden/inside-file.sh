root='/srv/it'\''s here' rel='a b'
if [ -z "$rel" ]; then
  path=$(readlink -f "$root")
else
  cd -P "$root" 2>/dev/null || { echo "@ missing"; exit 0; }
  path=$(pwd -P)/$rel
fi
[ -e "$path" ] || [ -L "$path" ] || { echo "@ missing"; exit 0; }
{ [ -f "$path" ] && [ ! -L "$path" ]; } || { echo "@ unsafe"; exit 0; }
[ -r "$path" ] || { echo "@ unread"; exit 0; }
exec 3<"$path"
[ "$(readlink /proc/self/fd/3)" = "$path" ] || { echo "@ unsafe"; exit 0; }
size=$(stat -L -c %s /proc/self/fd/3) mode=$(stat -L -c %a /proc/self/fd/3)
sum=$(head -c "$size" <&3 | sha256sum)
printf "@ file %s %s %s %s
" "$size" "$mode" "${sum%% *}" "$path"