/** A command whose streams are files of its container: what they hold is shown in the task's streams, too. */
import type { Redirect } from '../domain/task.ts';
import { volumeOf, volumePlace } from '../domain/volumes.ts';
import { quote } from './quote.ts';

/** Of a file that is longer only both ends are shown. */
const SHOWN_BYTES = 65_536;

/** As far as the image has the tools. */
const SHOW = `show() { [ -f "$1" ] || return 0; if [ "$(wc -c <"$1")" -le ${SHOWN_BYTES} ]; then cat "$1"; else head -c ${SHOWN_BYTES / 2} "$1"; echo; echo "[...]"; tail -c ${SHOWN_BYTES / 2} "$1"; fi; }; `;

/**
 * Gives what /bin/sh of the image runs: it tells that it began, runs its words with their streams from and to the files,
 * shows those, leaves the code. A file that cannot be opened is told on the task's stderr.
 */
export function redirectedWords(redirect: Redirect): string {
  const { stdin, stdout, stderr } = redirect;
  const same = stdout !== undefined && stdout === stderr;
  const streams = [
    ...(stdin === undefined ? [] : [`<${quote(stdin)}`]),
    stdout === undefined ? '>&3' : `>${quote(stdout)}`,
    ...(same ? ['2>&1'] : stderr === undefined ? [] : [`2>${quote(stderr)}`]),
  ];
  const shown = [
    ...(stdout === undefined ? [] : [`show ${quote(stdout)} >&3 2>/dev/null; `]),
    ...(stderr === undefined || same ? [] : [`show ${quote(stderr)} >&4 2>/dev/null; `]),
  ];
  return [
    SHOW,
    'echo started >&5; trap : HUP INT TERM; ',
    // stderr first: it hears of a file that cannot be opened. Not by braces around it: dash takes only their redirections
    `(exec "$@") 2>&4 ${streams.join(' ')} 3>&- 4>&- 5>&-; c=$?; `,
    ...shown,
    'echo "$c" >&5; exit "$c"',
  ].join('');
}

/** The same streams for a command that runs without a shell of the image: the files by their places on the host. */
export function directRedirect({
  dir,
  volumes = [],
  redirect = {},
}: {
  dir: string;
  volumes?: readonly string[] | undefined;
  redirect?: Redirect | undefined;
}): string {
  const place = (path: string | undefined): string | undefined => {
    const at = path === undefined ? undefined : volumeOf(volumes, path);
    return at === undefined ? undefined : quote(`${dir}/${volumePlace(at)}`);
  };
  const { stdin, stdout, stderr } = redirect;
  const [from, to, errors] = [place(stdin), place(stdout), place(stderr)];
  const same = stdout !== undefined && stdout === stderr;
  return [
    ...(from === undefined ? [] : [` <${from}`]),
    to === undefined ? ' >&3' : ` >${to}`,
    same ? ' 2>&1' : errors === undefined ? ' 2>&4' : ` 2>${errors}`,
  ].join('');
}
