/**
 * The writable layer over an image. One that is made is `overlay.img` in the attempt's directory: made, or copied from a
 * model, by run.sh before the container, removed with the attempt. One of the user's is only ever named by the
 * link `overlay.own`: `--overlay` takes colons and commas in a path for its own.
 */
import type { AttemptToken, Overlay } from '../domain/task.ts';
import { quote } from './quote.ts';

/** Said last where an overlay could not be made; the failure is known by it. */
export const NO_OVERLAY = 'towline: the overlay could not be made';
const MIB = 1024 * 1024;
/** What is made is one file; a second start in the same directory finds it. */
const MADE = './overlay.img';
const OWN = './overlay.own';

export interface OverlayPlan {
  overlay?: Overlay | undefined;
  runtime: string;
  fakeroot?: boolean | undefined;
  token: AttemptToken;
}

/**
 * File systems whose holes a copy sees and keeps. Where it does not, a copy reads and writes all zeros: more than to make
 * an overlay takes.
 */
const KEEPS_HOLES = 'ext* | xfs | btrfs | f2fs | zfs | tmpfs | overlayfs';

/** Gives the lines that have the overlay there; the working directory is that of the attempt. */
export function overlayLines({ overlay, runtime, fakeroot, token }: OverlayPlan): string[] {
  if (overlay?.kind === 'own') return [`ln -sfn ${quote(overlay.path)} ${OWN} || exit 125`];
  if (overlay?.kind !== 'made') return [];
  const mib = Math.max(1, Math.floor(overlay.bytes / MIB));
  const create = `${quote(runtime)} overlay create${fakeroot === true ? ' --fakeroot' : ''}`;
  const model = modelDir(mib, fakeroot === true);
  const part = quote(`${model}/image.${token}`);
  return [
    `if ! [ -e ${MADE} ]; then`,
    // by another name first: half a copy is no overlay
    `  if [ -O ${model}/image ] && cp --sparse=always ${model}/image ./.overlay.part 2>/dev/null; then mv ./.overlay.part ${MADE}; fi`,
    'fi',
    `if ! [ -e ${MADE} ]; then`,
    '  rm -f ./.overlay.part',
    `  said=$( (umask 077; ${create} --sparse --size ${mib} ${MADE}) 2>&1 </dev/null)`,
    // runtimes before 1.1 write zeros
    `  case $said in *'unknown flag'*) said=$( (umask 077; ${create} --size ${mib} ${MADE}) 2>&1 </dev/null) ;; esac`,
    `  if ! [ -s ${MADE} ]; then`,
    `    rm -f ${MADE}`,
    `    printf '%s\\n%s\\n' "$said" ${quote(NO_OVERLAY)} >&2`,
    '    exit 125',
    '  fi',
    // on disk before it has its name: a loss of power must not leave a bad one for all that come after
    '  case $(stat -f -c %T . 2>/dev/null) in',
    `    ${KEEPS_HOLES})`,
    `      (umask 077; mkdir -p ${model}; cp --sparse=always ${MADE} ${part} && sync ${part} && ln ${part} ${model}/image; rm -f ${part}) >/dev/null 2>&1`,
    '      ;;',
    '  esac',
    'fi',
  ];
}

/**
 * Where an overlay that nobody has written to is kept for the next attempts of this daemon: to copy it takes a tenth of
 * the time that making one takes. It has the form of the name of an attempt that was never published, so that
 * whatever removes those removes it, too (script/leftovers.ts after a day, script/forget.ts).
 */
function modelDir(mib: number, fakeroot: boolean): string {
  return `../.overlay.${mib}.${fakeroot ? 'f' : '0'}`;
}

/** Gives the option of the runtime. */
export function overlayWords(overlay: Overlay | undefined): string[] {
  if (overlay?.kind === 'made') return [`--overlay ${MADE}`];
  if (overlay?.kind !== 'own') return [];
  return [`--overlay ${OWN}${overlay.readonly ? ':ro' : ''}`];
}
