/** Everything doctor looks at, in the order in which it is told: what stands first explains what follows. */

import type { Judgement } from '../../domain/judgement.ts';
import type { LinkInspection } from '../../remote/host.ts';
import type { Case, Judge } from './case.ts';
import { judgeForwarding } from './judge-forwarding.ts';
import { judgeClock, judgeLogout, judgeTools } from './judge-host.ts';
import {
  judgeConversion,
  judgeGpu,
  judgeImageCache,
  judgeOverlays,
  judgeRegistries,
} from './judge-images.ts';
import { judgeBanner, judgeHostKey, judgeLogin, judgeName, judgePort } from './judge-link.ts';
import { judgeNodes } from './judge-nodes.ts';
import { judgeFileSystem, judgeRoot, judgeSpace, judgeTmp } from './judge-root.ts';
import { judgeContainer, judgeFuse, judgeRuntime, judgeUserNamespaces } from './judge-runtime.ts';
import { judgeChannels, judgeNoise, judgeRoundTrip, judgeSftp, judgeShell } from './judge-shell.ts';

export interface Section {
  id: string;
  title: string;
  /** Can be told as soon as this part of the link, the facts, or the container is known. */
  after: keyof LinkInspection | 'facts' | 'container';
  /** About the way to the host, which this machine itself does not need. */
  ofLink?: boolean;
  /** Not told of a host that has nothing of the kind. */
  ifAny?: boolean;
  judge: Judge;
}

/** Before what may take a minute. */
const SCHEDULER_BEFORE = 'conversion';

export const SECTIONS: readonly Section[] = [
  {
    id: 'nodes',
    title: 'login nodes',
    after: 'nodes',
    ofLink: true,
    ifAny: true,
    judge: judgeNodes,
  },
  { id: 'name', title: 'name', after: 'resolution', ofLink: true, judge: judgeName },
  { id: 'port', title: 'TCP port', after: 'tcp', ofLink: true, judge: judgePort },
  { id: 'server', title: 'SSH server', after: 'banner', ofLink: true, judge: judgeBanner },
  { id: 'host-key', title: 'host key', after: 'hostKey', ofLink: true, judge: judgeHostKey },
  {
    ...{ id: 'forwarding', title: 'forwarding', after: 'hostKey', ofLink: true },
    judge: judgeForwarding,
  },
  { id: 'login', title: 'authentication', after: 'auth', ofLink: true, judge: judgeLogin },
  { id: 'shell', title: 'login shell', after: 'facts', judge: judgeShell },
  { id: 'noise', title: 'shell noise', after: 'facts', ofLink: true, judge: judgeNoise },
  { id: 'channels', title: 'channels', after: 'facts', ofLink: true, judge: judgeChannels },
  { id: 'sftp', title: 'SFTP', after: 'facts', ofLink: true, judge: judgeSftp },
  { id: 'round-trip', title: 'round trip', after: 'facts', ofLink: true, judge: judgeRoundTrip },
  { id: 'clock', title: 'clock', after: 'facts', judge: judgeClock },
  { id: 'root', title: 'remote root', after: 'facts', judge: judgeRoot },
  { id: 'space', title: 'space', after: 'facts', judge: judgeSpace },
  { id: 'file-system', title: 'file system', after: 'facts', judge: judgeFileSystem },
  { id: 'tmp', title: 'temporary', after: 'facts', judge: judgeTmp },
  { id: 'image-cache', title: 'image cache', after: 'facts', judge: judgeImageCache },
  { id: 'registry', title: 'registries', after: 'facts', judge: judgeRegistries },
  { id: 'overlay', title: 'overlays', after: 'facts', judge: judgeOverlays },
  { id: 'logout', title: 'logout', after: 'facts', judge: judgeLogout },
  { id: 'tools', title: 'tools', after: 'facts', judge: judgeTools },
  { id: 'runtime', title: 'runtime', after: 'facts', judge: judgeRuntime },
  { id: 'user-namespaces', title: 'user namespaces', after: 'facts', judge: judgeUserNamespaces },
  { id: 'fuse', title: 'FUSE', after: 'facts', judge: judgeFuse },
  { id: 'gpu', title: 'GPU', after: 'facts', judge: judgeGpu },
  { id: 'conversion', title: 'conversion', after: 'container', judge: judgeConversion },
  { id: 'container', title: 'container', after: 'container', judge: judgeContainer },
];

/** With those of its scheduler, where it has one. */
export function sectionsOf({ jobs }: Case['policy']): readonly Section[] {
  const checks = (jobs?.scheduler.checks ?? []).map(
    ({ judge, ...names }): Section => ({
      ...names,
      after: 'facts',
      judge: ({ schedulerSaid: said }) => (said === undefined ? undefined : judge(said)),
    }),
  );
  return SECTIONS.toSpliced(
    SECTIONS.findIndex(({ id }) => id === SCHEDULER_BEFORE),
    0,
    ...checks,
  );
}

/** What a section says when nothing was found for it. */
export function notLookedAt(section: Section, found: Case, failed: string | undefined): Judgement {
  if (section.ifAny === true) return undefined;
  if (section.ofLink === true && found.policy.type === 'local') {
    return { level: 'skipped', detail: 'this machine itself: there is no link' };
  }
  const why = failed === undefined ? 'there was nothing to look at' : `${failed} failed`;
  return { level: 'skipped', detail: `not looked at: ${why}` };
}
