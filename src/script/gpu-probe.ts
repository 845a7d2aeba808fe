/**
 * The GPUs of a host: NVIDIA's as nvidia-smi names them, AMD's as the kernel's driver lists them. A
 * tool that hangs (a broken driver) leaves them unknown, which is not the same as none.
 */
import type { GpuKind } from '../domain/state.ts';
import { quote } from './quote.ts';
import type { ReplyLine } from './reply.ts';

export interface GpuFacts {
  kind: GpuKind;
  /** In the order of the host. `device` is what the vendor's runtime takes. */
  devices: { device: string; name?: string | undefined; memoryBytes?: number | undefined }[];
}

const AMD_NODES = '/sys/class/kfd/kfd/topology/nodes';
const NAME_CHARS_MAX = 80;

/** Gives the lines that look for GPUs; they come after the site's setup, which may bring the tools. */
export function gpuProbeLines(amdNodes = AMD_NODES): string[] {
  return [
    // one process that may hang is better ended than waited for
    'within() { if command -v timeout >/dev/null 2>&1; then timeout 8 "$@"; else "$@"; fi; }',
    'if command -v nvidia-smi >/dev/null 2>&1; then',
    '  seen=$(within nvidia-smi --query-gpu=uuid,memory.total,name --format=csv,noheader,nounits 2>/dev/null </dev/null)',
    '  case $? in',
    '    0) printf \'%s\\n\' "$seen" | while IFS= read -r gpu; do printf \'%s\\n\' "@ gpu nvidia $gpu"; done ;;',
    "    124 | 137) echo '@ gpu unknown' ;;",
    '  esac',
    'fi',
    // the order of the nodes is the order in which ROCm counts them
    'i=0 n=0',
    `while [ -r ${quote(amdNodes)}/$i/gpu_id ]; do`,
    `  read -r id <${quote(amdNodes)}/$i/gpu_id 2>/dev/null || id=0`,
    '  if [ "$id" != 0 ]; then',
    "    name=''",
    `    read -r name 2>/dev/null <${quote(amdNodes)}/$i/name`,
    '    printf \'%s\\n\' "@ gpu amd $n,,$name"',
    '    n=$((n + 1))',
    '  fi',
    '  i=$((i + 1))',
    'done',
  ];
}

const DEVICE = /^[A-Za-z0-9-]{1,80}$/;
const MIB = 1024 * 1024;

/**
 * Reads what was found; undefined when it cannot be known just now. A host with GPUs of both kinds
 * gives those of NVIDIA; a device without a name that can be used (`[GPU is lost]`) is left out.
 */
export function parseGpus(lines: readonly ReplyLine[]): GpuFacts | undefined {
  const found = lines.filter(({ verb }) => verb === 'gpu').map(({ rest }) => rest);
  if (found.includes('unknown')) return undefined;
  const nvidia = devicesOf(found, 'nvidia');
  if (nvidia.length > 0) return { kind: 'nvidia', devices: nvidia };
  return { kind: 'amd', devices: devicesOf(found, 'amd') };
}

function devicesOf(found: string[], kind: GpuKind): GpuFacts['devices'] {
  const rows = found.filter((row) => row.startsWith(`${kind} `));
  return rows.flatMap((row) => {
    const [device = '', memory = '', ...name] = row.slice(kind.length + 1).split(',');
    if (!DEVICE.test(device.trim())) return [];
    const mebibytes = /^ *\d{1,9} *$/.test(memory) ? Number(memory) : 0;
    const text = name.join(',').trim().slice(0, NAME_CHARS_MAX);
    return {
      device: device.trim(),
      ...(text !== '' && { name: text }),
      ...(mebibytes > 0 && { memoryBytes: mebibytes * MIB }),
    };
  });
}
