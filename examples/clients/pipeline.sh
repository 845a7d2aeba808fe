#!/usr/bin/env bash
# Two tasks, the second of which reads what the first has made, and a third that fails. Needs a running daemon.
set -euo pipefail

here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
image=${DEMO_IMAGE:-docker://registry:5000/mini:1}
ids=()

# that of the checkout, else the installed one
towline=$here/../../scripts/towline
[ -x "$towline" ] || towline=towline

# what has ended cannot be cancelled, and need not be
cancel() {
  trap '' INT
  for id in "${ids[@]}"; do "$towline" cancel "$id" >/dev/null 2>&1 || true; done
  exit 130
}
trap cancel INT

count=$("$towline" submit --name count --input "$here/../text-demo/count-words.sh" --input "$here/words.txt" \
  --share counts.txt "$image" -- sh ../inputs/count-words.sh ../inputs/words.txt counts.txt 0.5)
ids+=("$count")
counts=workflow:///$count/counts.txt
top=$("$towline" submit --name top "$image" -- head -n 3 "$counts")
ids+=("$top")
find=$("$towline" submit --name find "$image" -- grep unicorn "$counts")
ids+=("$find")

"$towline" logs -f --stdout "$count"
"$towline" wait "$count" >/dev/null
echo "the most frequent:"
"$towline" logs -f --stdout "$top"
"$towline" wait "$top" >/dev/null

# prints: ID STATE EXIT-CODE ERROR-CODE
if ended=$("$towline" wait "$find" 2>/dev/null); then exit 0; fi
read -r _ state exit_code error_code <<<"$ended"
if [ "$error_code" != TASK_EXIT_CODE ]; then
  echo "find: $state ($error_code); see: towline show $find" >&2
  exit 1
fi
echo "no unicorn: grep ended with $exit_code"
