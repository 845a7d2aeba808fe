/**
 * Points in the life of an attempt on its host where a test can stop it: the tools by which it takes each
 * step (mv, sync, ln) wait there, so that the machine can lose its power just then.
 */
import { until } from '../until.ts';
import type { SpareHost } from './spare-host.ts';

/** In the order in which they are passed. */
export const HOST_POINTS = [
  'publish.before',
  'publish.after',
  'ticket.before',
  'ticket.after',
  'exit.before',
  'exit.after',
] as const;

export type HostPoint = (typeof HOST_POINTS)[number];

const HELD = '/srv/held-at';
const WANTED = '/srv/hold-at';

/** Stands before the real tool in PATH; what it is asked to do says which step it is. */
const SHIM = `#!/bin/sh
point=
case "\${0##*/} $*" in
  'mv -T '*) point=publish ;;
  'mv ticket go.'*) point=ticket ;;
  'ln .exit.'*' exit.json') point=exit ;;
esac
hold() {
  if [ -n "$point" ] && [ "$(cat ${WANTED} 2>/dev/null)" = "$point.$1" ]; then
    echo "$point.$1" >${HELD}
    while :; do sleep 1; done
  fi
}
hold before
"/usr/bin/\${0##*/}" "$@"
code=$?
hold after
exit "$code"
`;

export interface HostPoints {
  /** Whoever comes to this point next waits there. */
  hold(point: HostPoint): Promise<void>;
  /** Resolves when somebody waits there; from then on nobody else will. */
  held(point: HostPoint): Promise<void>;
}

/** Puts the tools in their places. */
export async function installHostPoints(spare: SpareHost): Promise<HostPoints> {
  await spare.sh(
    'for tool in mv ln; do printf %s "$1" >/usr/local/bin/$tool; chmod 755 /usr/local/bin/$tool; done',
    SHIM,
  );
  // the payload's own user writes there
  await spare.sh('chmod 1777 /srv');
  return {
    hold: async (point) => void (await spare.sh(`rm -f ${HELD}; echo "$1" >${WANTED}`, point)),
    async held(point) {
      await until(
        async () => (await spare.sh(`cat ${HELD} 2>/dev/null || :`)) === `${point}\n`,
        () => `somebody at ${point}`,
      );
      await spare.sh(`rm -f ${WANTED}`);
    },
  };
}
