#!/bin/sh
# Counts the words of a text, the most frequent first, in parts, and tells how far it is: progress on
# stdout, remarks on stderr. Runs in the container and, for comparison, on this machine.
# usage: count-words.sh INPUT RESULT [PAUSE]
set -eu
input=$1 result=$2 pause=${3:-0}
export LC_ALL=C

lines=$(wc -l <"$input")
part=$(((lines + 4) / 5))
from=1
while [ "$from" -le "$lines" ]; do
  to=$((from + part - 1))
  sed -n "${from},${to}p" "$input" | tr -cs '[:lower:]' '[\n*]'
  echo "counted lines $from to $([ "$to" -lt "$lines" ] && echo "$to" || echo "$lines") of $lines" >&3
  from=$((to + 1))
  sleep "$pause"
done 3>&1 >words
echo "$(wc -l <words) words, sorting" >&2
sort words | uniq -c | sort -k1,1nr -k2 | awk '{ print $1, $2 }' >"$result"
rm -f words
echo "done: $(wc -l <"$result") different words"
