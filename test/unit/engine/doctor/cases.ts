/** A host in good health, to be spoilt by a test. */
import type { Case } from '../../../../src/engine/doctor/case.ts';
import { SECTIONS } from '../../../../src/engine/doctor/sections.ts';
import type { LinkInspection } from '../../../../src/remote/host.ts';
import type { DoctorFacts } from '../../../../src/script/doctor.ts';
import { aPolicy } from '../../../support/engine-parts.ts';

const GIB = 2 ** 30;
export const PIN = 'ssh-ed25519 SHA256:abc';

export function goodLink(): LinkInspection {
  return {
    nodes: {
      found: [
        { name: 'vm.example.org:2222', examined: true },
        { name: 'vm2.example.org:22', examined: false },
      ],
    },
    place: {
      hostname: 'vm.example.org',
      port: 2222,
      user: 'alice',
      knownHostsFiles: ['/k h'],
      jumps: [],
    },
    resolution: { found: { addresses: ['192.0.2.10', '2001:db8::1'] } },
    tcp: { found: { address: '192.0.2.10', ms: 1.234 } },
    banner: { found: { server: 'SSH-2.0-OpenSSH_10.0', before: '' } },
    hostKey: { found: { offered: ['ssh-ed25519'], shown: PIN, pinned: [`${PIN} at /k h:3`] } },
    auth: {
      found: {
        methods: ['publickey'],
        tries: [{ method: 'publickey', key: 'ssh-ed25519 SHA256:me', verdict: 'accepted' }],
        banner: '',
      },
    },
    shell: { found: { noise: '', stderr: '', firstAnswerMs: 5 } },
    sftp: { found: { noise: '', extensions: ['posix-rename@openssh.com', 'limits@openssh.com'] } },
    sessions: { found: { open: 10, limited: true } },
    roundTrip: { found: { ms: 1 } },
  };
}

export function goodFacts(): DoctorFacts {
  return {
    user: 'alice',
    uid: 1000,
    home: '/home/alice',
    hostname: 'vm',
    loginShell: '/bin/bash',
    clockMs: 0,
    root: '/data/towline',
    rootKind: 'directory',
    rootOwner: 'alice',
    rootOurs: true,
    rootMode: '700',
    rootMarker: '{"format":1,"towline":"root"}',
    anchor: '/data/towline',
    canMake: true,
    canFill: true,
    canRun: true,
    fsType: 'ext2/ext3',
    freeBytes: 100 * GIB,
    freeInodes: 1_000_000,
    inodes: 2_000_000,
    homeFreeBytes: 50 * GIB,
    homeFreeInodes: 1_000_000,
    homeInodes: 2_000_000,
    homeRuns: true,
    tmp: '/tmp',
    tmpWritable: true,
    tmpFreeBytes: 10 * GIB,
    systemd: true,
    killUserProcesses: 'no',
    linger: false,
    runtimePath: '/usr/bin/apptainer',
    runtimeVersion: 'apptainer version 1.4.5',
    setuid: false,
    userns: true,
    subuid: true,
    fuseDevice: 'usable',
    squashfuse: '/usr/bin/squashfuse_ll',
    mksquashfs: '/usr/bin/mksquashfs',
    tools: { setsid: true, sha256sum: true, stat: true, 'mv-T': true },
    rcFiles: [],
    quota: [],
    imagesDir: '/data/towline/images',
    imagesWritable: true,
    imagesCount: 2,
    imagesFsType: 'ext2/ext3',
    imagesFreeBytes: 100 * GIB,
    imagesOnHome: false,
    overlays: [],
    registries: [{ name: 'registry.example.org:5000' }],
  };
}

export function goodCase(): Case {
  return {
    policy: aPolicy(),
    link: goodLink(),
    facts: goodFacts(),
    skewMs: 0,
    container: { image: { kind: 'made', path: '/x.sif' }, code: 0, ms: 100, words: '' },
  };
}

/** What one section says. */
export function judged(id: string, found: Case) {
  const section = SECTIONS.find((one) => one.id === id);
  if (section === undefined) throw new Error(`no section ${id}`);
  return section.judge(found);
}
