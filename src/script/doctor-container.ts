/**
 * A container on the host, for real: the smallest image of the cache, else a tiny one made of the
 * host's own shell. All of it happens in one directory that is removed whatever happens.
 */
import { z } from 'zod';
import { templateWord } from './expand.ts';
import { quote } from './quote.ts';
import { parseValue, replyInvalid, splitReply } from './reply.ts';
import { setupLines } from './task-script.ts';

export interface ContainerPlan {
  runtime: string;
  setup?: string | undefined;
  /** The directory of the image cache, as configured or below the root. */
  imageDirectory: string;
  /** A directory that can be written: the root or where it would be. */
  scratch: string;
}

export interface ContainerTrial {
  /** `cached PATH`, `made`, or why there is none. */
  image: { kind: 'cached' | 'made'; path: string } | { kind: 'none'; why: string };
  /** Absent: nothing was run. */
  code?: number | undefined;
  ms?: number | undefined;
  /** What the runtime said on its error stream. */
  words: string;
}

const TINY = `make_image() {
  box=$dir/box
  mkdir -p "$box/bin" "$box/tmp" "$box/etc" "$box/proc" "$box/sys" "$box/dev" "$box/root" "$box/var/tmp" "$box/mnt" || return 1
  shell=$(readlink -f /bin/sh)
  cp "$shell" "$box/bin/sh" || return 1
  : >"$box/etc/passwd"
  : >"$box/etc/group"
  for lib in $(ldd "$shell" 2>/dev/null | tr '[:blank:]' '\\n' | grep '^/'); do
    mkdir -p "$box\${lib%/*}" && cp "$lib" "$box$lib" || return 1
  done
  "$runtime" build "$dir/tiny.sif" "$box" >"$dir/log" 2>&1 </dev/null
}`;

/** Gives the text. */
export function containerText(plan: ContainerPlan): string {
  return [
    ...setupLines(plan.setup),
    `runtime=${quote(plan.runtime)} images=${templateWord(plan.imageDirectory)} dir=${quote(plan.scratch)}/.probe.doctor.$$`,
    "mkdir -m 700 \"$dir\" || { echo '@ none no directory'; echo '@ done'; exit 0; }",
    'trap \'chmod -R u+rwx "$dir" 2>/dev/null; rm -rf "$dir"\' EXIT',
    "trap 'exit 1' HUP INT TERM",
    'export APPTAINER_TMPDIR="$dir" APPTAINER_CACHEDIR="$dir/cache" SINGULARITY_TMPDIR="$dir" SINGULARITY_CACHEDIR="$dir/cache"',
    TINY,
    'image=$(for f in "$images"/*.sif; do [ -f "$f" ] && [ -r "${f%.sif}.json" ] && stat -c "%s %n" "$f"; done 2>/dev/null | sort -n | head -n 1)',
    'image=${image#* }',
    'if [ -n "$image" ]; then printf \'%s\\n\' "@ cached $image"',
    'elif make_image; then image=$dir/tiny.sif; printf \'%s\\n\' "@ made $image"',
    'else printf \'%s\\n\' "@ none $(tail -n 1 "$dir/log" 2>/dev/null | cut -c 1-300)"; echo \'@ done\'; exit 0; fi',
    'mkdir -p "$dir/home"',
    'cd "$dir" || exit 0',
    'began=$(date +%s%N)',
    '"$runtime" exec --containall --cleanenv --home "$dir/home:/root" "$image" /bin/sh -c : >"$dir/log" 2>&1 </dev/null',
    'echo "@ code $?"',
    'ended=$(date +%s%N)',
    'case $began$ended in *[!0-9]*) ;; *) echo "@ ms $(((ended - began) / 1000000))" ;; esac',
    'tail -n 20 "$dir/log" | cut -c 1-500',
    "echo '@ done'",
  ].join('\n');
}

const number = z.coerce.number().int();

/** Reads the reply. @throws HOST_REPLY_INVALID */
export function parseContainer(output: string, query: { host: string }): ContainerTrial {
  const purpose = `a container on host ${query.host}`;
  const { lines, noise } = splitReply(output);
  if (lines.at(-1)?.verb !== 'done') throw replyInvalid(purpose, 'the reply is cut', noise);
  const trial: ContainerTrial = { image: { kind: 'none', why: '' }, words: noise };
  for (const { verb, rest } of lines) {
    if (verb === 'cached' || verb === 'made') trial.image = { kind: verb, path: rest };
    else if (verb === 'none') trial.image = { kind: 'none', why: rest };
    else if (verb === 'code') trial.code = parseValue(number, rest, purpose);
    else if (verb === 'ms') trial.ms = parseValue(number, rest, purpose);
  }
  return trial;
}
