/**
 * Tags that move: when the registry is asked about an image that is there, and how cheaply. The image that
 * is there is put into the job's own cache under the name that the runtime gave it there: as long as the tag
 * has not moved, the runtime asks for the manifest alone and copies what it finds.
 */

/** `everyMs`: an answer counts so long, whoever asked. `joined`: this wish saw a job at work, and its result is waited for. */
export type AskAgain = { everyMs: number } | 'joined';

/** The word for it in the text of a pull. */
export function everyWord(newer: AskAgain | undefined): string {
  if (newer === undefined || newer === 'joined') return newer ?? '';
  return String(Math.ceil(newer.everyMs / 1_000));
}

/**
 * `due`: a question is to be asked although the image is there. `fresh`: what is there is good enough as it
 * is. Both by the time of the last question (.asked.$key), or by the age of what is there.
 */
export const QUESTION = `recent() {
  [ -n "$1" ] && [ "$1" -le "$at" ] && [ $((at - $1)) -lt "$every" ]
} 2>/dev/null
due() {
  case $every in '') return 1 ;; joined) return 0 ;; esac
  asked='' record='' pulled=''
  at=$(date +%s)
  [ ! -s ".asked.$key" ] || read -r asked <".asked.$key"
  current && [ -s "$image.json" ] && read -r record <"$image.json"
  case $record in *'"at":'*) pulled=\${record#*'"at":'} pulled=\${pulled%%[!0-9]*} ;; esac
  if recent "$asked" || recent "$pulled"; then return 1; fi
}
fresh() {
  [ -n "$every" ] || return 0
  if [ -d "$job" ]; then
    if [ ! -s "$job/result" ] || [ "$every" = joined ]; then return 1; fi
  elif [ "$every" = joined ]; then
    return 0
  fi
  ! due
}`;

/** In the job: the name of the image in the runtime's cache, kept in its record; the cache filled with it; and whether the registry still has it. */
export const CACHE_ENTRY = `prime() {
  record='' primed=''
  [ -n "$image" ] && [ -r "../$image.json" ] && read -r record <"../$image.json"
  case $record in *'"entry":"'*) primed=\${record#*'"entry":"'} primed=\${primed%%'"'*} ;; *) return 0 ;; esac
  case $primed in *[!A-Za-z0-9/.:_-]* | *..* | /* | */ | */*/*) primed=''; return 0 ;; */*) ;; *) primed=''; return 0 ;; esac
  [ ! -e "cache/cache/$primed" ] || return 0
  mkdir -p "cache/cache/\${primed%/*}"
  ln "../$image.sif" "cache/cache/$primed" || cp "../$image.sif" "cache/cache/$primed"
} 2>/dev/null
# What came by this pull: the one name that is new.
read_entry() {
  entry='' count=0
  for f in cache/cache/oci-tmp/* cache/cache/oras/* cache/cache/library/*; do
    if [ ! -f "$f" ] || [ "$f" = "cache/cache/$primed" ]; then continue; fi
    entry=\${f#cache/cache/} count=$((count + 1))
  done
  [ "$count" -eq 1 ] || entry=''
  case $entry in *[!A-Za-z0-9/.:_-]*) entry='' ;; esac
  [ -z "$entry" ] || entry=',"entry":"'$entry'"'
}
# The same bytes, or by its digest the same image, pulled before its name in the cache was written down.
is_known() {
  case $record in *'"sha256":"'"$sum"'"'*) return 0 ;; esac
  [ -n "$digest" ] || return 1
  case $record in *"$digest"*) ;; *) return 1 ;; esac
  [ -z "$entry" ] || { printf '%s\\n' "\${record%\\}}$entry}" >known.json && mv known.json "../$image.json"; }
}`;
