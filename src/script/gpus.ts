/** How a container gets the GPUs of its task, and sees no others. */
import type { GpuGrant } from '../domain/state.ts';

/** Gives the runtime's option for the libraries and device files of the vendor. */
export function gpuFlag(gpus: GpuGrant | undefined): string[] {
  if (gpus === undefined) return [];
  return [gpus.kind === 'nvidia' ? '--nv' : '--rocm'];
}

/** Gives the variables by which the vendor's libraries see the given devices only. */
export function gpuVariables(gpus: GpuGrant | undefined): Record<string, string> {
  if (gpus === undefined) return {};
  const devices = gpus.devices.join(',');
  if (gpus.kind === 'nvidia') {
    return {
      // numbers are those of nvidia-smi, not the order of speed
      CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
      CUDA_VISIBLE_DEVICES: devices,
      NVIDIA_VISIBLE_DEVICES: devices,
    };
  }
  // HIP counts among what ROCr lets through.
  const among = gpus.devices.map((_, index) => index).join(',');
  return { ROCR_VISIBLE_DEVICES: devices, HIP_VISIBLE_DEVICES: among };
}

/** What a job tells the command of itself, and which devices are the job's own. */
const OF_A_JOB = [
  'SLURM_JOB_ID',
  'SLURM_CPUS_PER_TASK',
  'SLURM_JOB_PARTITION',
  'CUDA_VISIBLE_DEVICES',
  'NVIDIA_VISIBLE_DEVICES',
  'ROCR_VISIBLE_DEVICES',
  'HIP_VISIBLE_DEVICES',
];

/** Gives the lines that hand on what the scheduler gave a job, and set $gpu to the runtime's option for its devices. */
export function jobLines(job: { gpus: boolean } | undefined, prefix: string): string[] {
  if (job === undefined) return [];
  const hand = [
    `for name in ${OF_A_JOB.join(' ')}; do`,
    '  eval "value=\\${$name-}"',
    `  [ -z "$value" ] || export "${prefix}ENV_$name=$value"`,
    'done',
  ];
  return job.gpus ? [...hand, 'gpu=--nv', '[ -z "${ROCR_VISIBLE_DEVICES-}" ] || gpu=--rocm'] : hand;
}
