/** Names the file systems on which a commit or a lock is not what it is on a local disk. */
import { readFile, statfs } from 'node:fs/promises';

/** Types that statfs(2) tells by number. */
const NETWORK_TYPES: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x19830326, 'BeeGFS'],
  [0x00c36400, 'CephFS'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0xaad7aaea, 'PanFS'],
  [0x20030528, 'OrangeFS'],
  [0x01021997, '9p'],
]);

const FUSE_TYPE = 0x65735546;
/** FUSE says nothing by number; the mount table has the name of the program. */
const NETWORK_FUSE =
  /^fuse\.(sshfs|rclone|s3fs|goofys|gcsfuse|mount-s3|glusterfs|ceph|beegfs|juicefs|mfs|moosefs|lizardfs|davfs|curlftpfs|blobfuse2?|smbnetfs|seaweedfs|cvmfs2?)$/;

/** How the machine is asked; a test gives its own answers. */
export interface FileSystemProbe {
  statfs(path: string): Promise<{ type: number }>;
  /** The text of /proc/self/mountinfo. */
  mounts(): Promise<string>;
}

export const LOCAL_PROBE: FileSystemProbe = {
  statfs: (path) => statfs(path),
  mounts: () => readFile('/proc/self/mountinfo', 'utf8').catch(() => ''),
};

/** The name of the network file system that holds `path` (resolved), or undefined for a local one. */
export async function networkFileSystem(
  path: string,
  probe = LOCAL_PROBE,
): Promise<string | undefined> {
  const type = (await probe.statfs(path)).type >>> 0;
  if (type !== FUSE_TYPE) return NETWORK_TYPES.get(type);
  const name = mountedType(path, await probe.mounts());
  return name !== undefined && NETWORK_FUSE.test(name) ? name : undefined;
}

/** The type of the innermost mount that holds `path`; of several on one point the last counts. */
function mountedType(path: string, mounts: string): string | undefined {
  let best: { point: string; type: string } | undefined;
  for (const line of mounts.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const point = unescapeOctal(before.split(' ')[4] ?? '');
    const type = after.split(' ')[0] ?? '';
    const holds = point === '/' || path === point || path.startsWith(`${point}/`);
    if (point !== '' && holds && point.length >= (best?.point.length ?? 0)) best = { point, type };
  }
  return best?.type;
}

function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
