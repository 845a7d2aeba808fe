/** Goal: GPUs are found as they are, or known to be unknown. Method: the real lines in sh, with a fake tool and a fake /sys. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { gpuProbeLines, parseGpus } from '../../../src/script/gpu-probe.ts';
import { gpuFlag, gpuVariables } from '../../../src/script/gpus.ts';
import { splitReply } from '../../../src/script/reply.ts';

function look(tool: string | undefined, nodes: string[][] = []) {
  const dir = mkdtempSync(join(tmpdir(), 'towline gpus '));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const [index, [id = '0', name = '']] of nodes.entries()) {
    mkdirSync(join(dir, 'nodes', `${index}`), { recursive: true });
    writeFileSync(join(dir, 'nodes', `${index}`, 'gpu_id'), `${id}\n`);
    writeFileSync(join(dir, 'nodes', `${index}`, 'name'), `${name}\n`);
  }
  if (tool !== undefined) {
    writeFileSync(join(dir, 'nvidia-smi'), `#!/bin/sh\n${tool}\n`);
    chmodSync(join(dir, 'nvidia-smi'), 0o755);
  }
  const text = gpuProbeLines(join(dir, 'nodes')).join('\n');
  const env = { PATH: `${dir}:/usr/bin:/bin` };
  return parseGpus(splitReply(execFileSync('sh', ['-c', text], { env, encoding: 'utf8' })).lines);
}

test('NVIDIA: UUIDs, memory and names; a device that is lost is left out', () => {
  const rows = [
    'GPU-1a-2b, 40960, NVIDIA A100, 40GB',
    '[GPU is lost], [N/A], x',
    'GPU-3c, [N/A], ',
  ];
  expect(look(`printf '%s\\n' '${rows.join("' '")}'`)).toEqual({
    kind: 'nvidia',
    devices: [
      { device: 'GPU-1a-2b', memoryBytes: 40_960 * 1024 * 1024, name: 'NVIDIA A100, 40GB' },
      { device: 'GPU-3c' },
    ],
  });
});

test('AMD: numbered as ROCm counts them, past the nodes that are processors', () => {
  const nodes = [
    ['0', 'cpu'],
    ['5', 'gfx90a'],
    ['0', ''],
    ['7', 'gfx90a'],
  ];
  expect(look(undefined, nodes)).toEqual({
    kind: 'amd',
    devices: [
      { device: '0', name: 'gfx90a' },
      { device: '1', name: 'gfx90a' },
    ],
  });
});

test('no tool and no driver is none; a tool without a driver too; one that was cut off is unknown', () => {
  expect(look(undefined)?.devices).toEqual([]);
  expect(look('echo No devices were found; exit 6')?.devices).toEqual([]);
  expect(look('exit 124')).toBeUndefined();
});

test('a container sees the devices given and no others', () => {
  expect(gpuFlag(undefined)).toEqual([]);
  expect(gpuVariables(undefined)).toEqual({});
  const nvidia = { kind: 'nvidia' as const, devices: ['GPU-1', 'GPU-2'] };
  expect([gpuFlag(nvidia), gpuVariables(nvidia)]).toEqual([
    ['--nv'],
    {
      CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
      CUDA_VISIBLE_DEVICES: 'GPU-1,GPU-2',
      NVIDIA_VISIBLE_DEVICES: 'GPU-1,GPU-2',
    },
  ]);
  const amd = { kind: 'amd' as const, devices: ['2', '3'] };
  expect([gpuFlag(amd), gpuVariables(amd)]).toEqual([
    ['--rocm'],
    { ROCR_VISIBLE_DEVICES: '2,3', HIP_VISIBLE_DEVICES: '0,1' },
  ]);
});
