/** The remote root, the file system it is on, temporary space. */

import type { Remedy } from '../../domain/finding.ts';
import {
  asRoot,
  failure,
  here,
  inIni,
  inWords,
  type Judgement,
  ok,
  onHost,
  warning,
} from '../../domain/judgement.ts';
import type { DoctorFacts } from '../../script/doctor.ts';
import { quote } from '../../script/quote.ts';
import type { Case } from './case.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const ROOT_BYTES_MIN = 16 * MIB;
const ROOT_BYTES_FEW = GIB;
const TMP_BYTES_FEW = 256 * MIB;
const INODES_MIN = 20;
const INODES_FEW = 1_000;
const NETWORK = /^(nfs|cifs|smb|lustre|gpfs|afs|ceph|beegfs|panfs|9p|fuse\.|ocfs|gfs|acfs|wekafs)/i;
const HOME_ROOT = 'root = ~/.towline';

export function judgeRoot({ facts, policy }: Case): Judgement {
  if (facts === undefined) return undefined;
  const { root, rootKind } = facts;
  const bad = (detail: string, remedy: Remedy, cause?: string): Judgement =>
    failure(detail, { code: 'HOST_ROOT_INVALID', cause, remedy });
  if (facts.rootUnset !== undefined || root === undefined) {
    return bad(`${policy.root}: $${facts.rootUnset} has no value on the host`, inIni(HOME_ROOT));
  }
  if (root === '/' || root === facts.home) {
    return bad(
      `${root} belongs to others as well`,
      inIni(`root = ${root.replace(/\/$/, '')}/towline`),
    );
  }
  if (rootKind === 'symlink') {
    const { rootTarget = '' } = facts;
    const remedy = inIni(rootTarget.startsWith('/') ? `root = ${rootTarget}` : HOME_ROOT);
    return bad(
      `${root} is a symbolic link to ${rootTarget || 'nothing'}`,
      remedy,
      'whoever owns the link could lead tasks elsewhere',
    );
  }
  if (rootKind === 'other') return bad(`${root} is not a directory`, inIni(HOME_ROOT));
  if (rootKind === 'absent') return judgeAbsent(facts, root);
  if (facts.rootOurs === false) {
    return bad(
      `${root} belongs to ${facts.rootOwner ?? 'another user'}, not to ${facts.user}`,
      elsewhere(facts),
    );
  }
  return judgeOwn(facts, root);
}

function judgeAbsent(facts: DoctorFacts, root: string): Judgement {
  if (facts.canMake !== false || full(facts)) return ok(`${root} is not there yet and can be made`);
  return failure(`${root} is not there, and ${facts.user} may not write to ${facts.anchor}`, {
    code: 'HOST_ROOT_INVALID',
    remedy: elsewhere(facts),
  });
}

function judgeOwn(facts: DoctorFacts, root: string): Judgement {
  const { rootMode = '', rootMarker, rootForeign } = facts;
  const bad = (detail: string, remedy: Remedy): Judgement =>
    failure(detail, { code: 'HOST_ROOT_INVALID', remedy });
  if (/[2367].?$/.test(rootMode.slice(-2))) {
    return bad(
      `${root} can be written by others (mode ${rootMode})`,
      onHost(`chmod 700 ${quote(root)}`),
    );
  }
  if (rootMarker !== undefined && !rootMarker.startsWith('{"format":1,"towline":"root"')) {
    return bad(
      `${root} was made by another version of Towline: ${rootMarker}`,
      inIni(`root = ${root}-2`),
    );
  }
  if (rootForeign !== undefined) {
    return bad(
      `${root} is not empty and not of Towline: it has ${rootForeign}`,
      inIni(`root = ${root}/towline`),
    );
  }
  if (facts.canMake === false && !full(facts)) {
    return bad(
      `${root} cannot be written`,
      rootMode.startsWith('7') ? elsewhere(facts) : onHost(`chmod 700 ${quote(root)}`),
    );
  }
  return ok(
    `${root}, owner ${facts.rootOwner ?? facts.user}, mode ${rootMode}, ${facts.canMake ? 'writable' : 'full'}`,
  );
}

/** Our own home, unless that is where the trouble is. */
function elsewhere(facts: DoctorFacts): Remedy {
  const usual = `${facts.home}/.towline`;
  return facts.root === usual
    ? asRoot(`chown -R ${quote(facts.user)} ${quote(usual)}`)
    : inIni(HOME_ROOT);
}

/** Nothing can be made because there is no room, not because of permissions. */
function full(facts: DoctorFacts): boolean {
  return (facts.freeBytes ?? GIB) < ROOT_BYTES_MIN || inodesBelow(facts, INODES_MIN);
}

/** File systems that count no inodes say 0 of 0. */
function inodesBelow({ inodes = 0, freeInodes = 0 }: DoctorFacts, limit: number): boolean {
  return inodes > 0 && freeInodes < limit;
}

export function judgeSpace({ facts }: Case): Judgement {
  if (facts?.anchor === undefined) return undefined;
  const { freeBytes, freeInodes = 0, inodes = 0, quota } = facts;
  const free = freeBytes === undefined ? 'unknown' : sizeText(freeBytes);
  const detail = `${free} free${inodes > 0 ? `, ${freeInodes} of ${inodes} inodes` : ''} at ${facts.anchor}`;
  const trouble = { code: 'HOST_NO_SPACE' as const, remedy: room(facts) };
  if (quota.length > 0) {
    return failure(detail, {
      ...trouble,
      cause: `over quota: ${quota.join('; ')}`,
      remedy: inWords('remove files, or ask for more quota'),
    });
  }
  if (inodesBelow(facts, INODES_MIN))
    return failure(detail, { ...trouble, cause: 'no inode is left: there are too many files' });
  if (full(facts))
    return failure(detail, { ...trouble, cause: 'the file system is full or too small' });
  if (facts.canMake === true && facts.canFill === false) {
    return failure(detail, {
      ...trouble,
      cause: 'there is space, but none for us: a quota is used up',
    });
  }
  if ((freeBytes ?? GIB) < ROOT_BYTES_FEW || inodesBelow(facts, INODES_FEW)) {
    return warning(detail, {
      cause: 'images and work directories of tasks need more',
      remedy: room(facts),
    });
  }
  return ok(detail);
}

/** The home directory where it has room, else what Towline itself can give back. */
function room(facts: DoctorFacts): Remedy {
  const {
    homeFreeBytes = 0,
    homeFreeInodes = 0,
    homeInodes = 0,
    root,
    home,
    freeBytes = 0,
  } = facts;
  const roomy =
    homeFreeBytes >= ROOT_BYTES_FEW && (homeInodes === 0 || homeFreeInodes >= INODES_FEW);
  const differs =
    root !== `${home}/.towline` && (homeFreeBytes > freeBytes || inodesBelow(facts, INODES_FEW));
  return roomy && differs ? inIni(HOME_ROOT) : here('towline gc');
}

export function judgeFileSystem({ facts }: Case): Judgement {
  if (facts?.anchor === undefined) return undefined;
  const { fsType = 'unknown', canRun, homeRuns, home, root } = facts;
  const other = homeRuns === true && root !== `${home}/.towline`;
  if (canRun === false) {
    return warning(`${fsType}, mounted noexec`, {
      cause: 'programs that a task makes in its work directory cannot be run there',
      remedy: other
        ? inIni(HOME_ROOT)
        : inWords('set root = … to a directory on a disk without noexec'),
    });
  }
  if (isNetworkFileSystem(fsType)) {
    return warning(`${fsType}, a network file system`, {
      cause: 'work directories and images on it are slow, and hang when its server does',
      remedy: inWords('set root = … to a directory on a local disk of the host, if it has one'),
    });
  }
  return ok(`${fsType}${canRun === true ? ', programs can be run on it' : ''}`);
}

export function isNetworkFileSystem(fsType = ''): boolean {
  return NETWORK.test(fsType);
}

export function judgeTmp({ facts }: Case): Judgement {
  if (facts?.tmp === undefined) return undefined;
  const { tmp, tmpFreeBytes, tmpWritable } = facts;
  const free = tmpFreeBytes === undefined ? '' : `, ${sizeText(tmpFreeBytes)} free`;
  const remedy = inIni('setup = mkdir -p ~/tmp && export TMPDIR=~/tmp');
  if (tmpWritable === false) {
    return warning(`${tmp} cannot be written${free}`, { cause: 'Apptainer unpacks there', remedy });
  }
  if ((tmpFreeBytes ?? GIB) >= TMP_BYTES_FEW) return ok(`${tmp}${free}`);
  return warning(`${tmp}${free}`, {
    cause: 'Apptainer needs more where it must unpack an image',
    remedy,
  });
}

export function sizeText(bytes: number): string {
  if (bytes >= GIB) return `${(bytes / GIB).toFixed(1)} GiB`;
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
