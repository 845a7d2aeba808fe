/**
 * The writable layer over an image. One that is made is `overlay.img` in the attempt's directory: made
 * by run.sh before the container, removed with the attempt. One of the user's is only ever named by the
 * link `overlay.own`: `--overlay` takes colons and commas in a path for its own.
 */
import type { Overlay } from '../domain/task.ts';
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
}

/** Gives the lines that have the overlay there; the working directory is that of the attempt. */
export function overlayLines({ overlay, runtime, fakeroot }: OverlayPlan): string[] {
  if (overlay?.kind === 'own') return [`ln -sfn ${quote(overlay.path)} ${OWN} || exit 125`];
  if (overlay?.kind !== 'made') return [];
  const size = `--size ${Math.max(1, Math.floor(overlay.bytes / MIB))}`;
  const create = `${quote(runtime)} overlay create${fakeroot === true ? ' --fakeroot' : ''}`;
  return [
    `if ! [ -e ${MADE} ]; then`,
    `  said=$( (umask 077; ${create} --sparse ${size} ${MADE}) 2>&1 </dev/null)`,
    // runtimes before 1.1 write zeros
    `  case $said in *'unknown flag'*) said=$( (umask 077; ${create} ${size} ${MADE}) 2>&1 </dev/null) ;; esac`,
    `  if ! [ -s ${MADE} ]; then`,
    `    rm -f ${MADE}`,
    `    printf '%s\\n%s\\n' "$said" ${quote(NO_OVERLAY)} >&2`,
    '    exit 125',
    '  fi',
    'fi',
  ];
}

/** Gives the option of the runtime. */
export function overlayWords(overlay: Overlay | undefined): string[] {
  if (overlay?.kind === 'made') return [`--overlay ${MADE}`];
  if (overlay?.kind !== 'own') return [];
  return [`--overlay ${OWN}${overlay.readonly ? ':ro' : ''}`];
}
