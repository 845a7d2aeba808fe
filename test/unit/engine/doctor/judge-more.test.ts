/** Goal and method as in judge.test.ts: image cache, registries, overlays, GPUs, forwarded ports. */
import { expect, it } from 'vitest';
import { AppError } from '../../../../src/domain/failure.ts';
import { registriesOf } from '../../../../src/engine/doctor/asked-registries.ts';
import type { Case } from '../../../../src/engine/doctor/case.ts';
import type { DoctorFacts } from '../../../../src/script/doctor.ts';
import { aPolicy } from '../../../support/engine-parts.ts';
import { goodCase, goodLink, judged } from './cases.ts';

const factual = (more: Partial<DoctorFacts>, imageCacheDir?: string): Case => {
  const found = goodCase();
  const facts = { ...(found.facts as DoctorFacts), ...more };
  return { ...found, facts, policy: aPolicy(imageCacheDir === undefined ? {} : { imageCacheDir }) };
};
const SHARED = { imagesDir: '/shared' };
const local = (): Case => {
  const link = goodLink();
  return { ...goodCase(), link: { ...link, place: { ...link.place!, hostname: '127.0.0.1' } } };
};

it.each<[string, string, Case, string, string | undefined, RegExp]>([
  [
    'a warm read-only cache',
    'image-cache',
    factual({ ...SHARED, imagesWritable: false }, '/shared'),
    'ok',
    undefined,
    /read-only/,
  ],
  [
    'an empty read-only cache',
    'image-cache',
    factual({ ...SHARED, imagesWritable: false, imagesCount: 0 }, '/shared'),
    'failure',
    'image_cache_dir = /data/towline/images',
    /may not write/,
  ],
  [
    'a cache that is a file',
    'image-cache',
    factual({ ...SHARED, imagesKind: 'other' }, '/shared'),
    'failure',
    'image_cache_dir = /data/towline/images',
    /not a directory/,
  ],
  [
    'the cache of the root on a network',
    'image-cache',
    factual({ imagesFsType: 'lustre' }),
    'warning',
    'set image_cache_dir = … to a directory on a local disk of the host, if it has one',
    /network/,
  ],
  [
    'a small cache',
    'image-cache',
    factual({ ...SHARED, imagesFreeBytes: 1e6, freeBytes: 1e6 }, '/shared'),
    'warning',
    'towline gc --images',
    /1\.0 MiB free/,
  ],
  [
    'a cache on the home',
    'image-cache',
    factual({ imagesOnHome: true }),
    'ok',
    undefined,
    /home directory/,
  ],
  [
    'two overlays of one process',
    'overlay',
    factual({
      overlays: [
        { pid: '7', path: '/a.img' },
        { pid: '7', path: '/b.img' },
      ],
    }),
    'warning',
    'kill 7',
    /\/a\.img, \/b\.img/,
  ],
  [
    'a registry out of reach, by HTTPS',
    'registry',
    factual({ registries: [{ name: 'a:1' }, { name: 'docker.io', words: 'no such host' }] }),
    'warning',
    'image_source = auto',
    /docker\.io: no such host/,
  ],
  [
    'a registry out of reach, by HTTP',
    'registry',
    {
      ...factual({ registries: [{ name: 'a:1' }, { name: 'b:2', words: 'refused' }] }),
      policy: aPolicy({ insecureRegistries: ['a:1', 'b:2'] }),
    },
    'warning',
    'insecure_registries = NAME:PORT',
    /b:2: refused/,
  ],
  [
    'GPUs that answer',
    'gpu',
    factual({ gpuTool: 'nvidia-smi', gpuCode: 0, gpuCount: 2 }),
    'ok',
    undefined,
    /2 by nvidia-smi/,
  ],
  [
    'ROCm without its driver',
    'gpu',
    factual({ gpuTool: 'rocm-smi', gpuCode: 1, gpuWords: 'no' }),
    'warning',
    "modprobe 'amdgpu'",
    /does not answer: no/,
  ],
  [
    'a card without tools',
    'gpu',
    factual({ gpuCard: 'NVIDIA' }),
    'warning',
    'install the NVIDIA driver and nvidia-smi on the host',
    /NVIDIA card/,
  ],
  [
    'a forwarded port',
    'forwarding',
    local(),
    'ok',
    undefined,
    /127\.0\.0\.1 port 2222 leads to SSH-2\.0-OpenSSH_10\.0, key ssh-ed25519 SHA256:abc/,
  ],
  ['no forwarded port', 'forwarding', goodCase(), 'ok', undefined, /no port of this machine/],
])('%s', (_, id, found, level, remedy, words) => {
  const verdict = judged(id, found);
  expect(verdict).toMatchObject({
    level,
    ...(remedy !== undefined && { remedy: { text: remedy } }),
  });
  expect(verdict?.detail).toMatch(words);
});

it('machines that take turns on a forwarded port get a name for each key', () => {
  const found = local();
  const failure = new AppError('SSH_HOST_KEY_CHANGED', 'changed').toRecord();
  found.link = { ...found.link, hostKey: { ...found.link.hostKey, failure } };
  expect(judged('forwarding', found)?.remedy?.text).toBe('host_key_alias = NAME_OF_THE_MACHINE');
});

it('the registries of the section and of the default images are asked, by HTTPS where nothing else is said', () => {
  const images = [
    'docker://reg:5000/a:1',
    'ubuntu',
    'oras://ghcr.io/a/b:1',
    '/own.sif',
    'library://a/b/c',
  ];
  const asked = registriesOf(aPolicy({ insecureRegistries: ['reg:5000'] }), images);
  expect(asked).toEqual([
    { name: 'reg:5000', secure: false },
    { name: 'docker.io', secure: true },
    { name: 'ghcr.io', secure: true },
  ]);
  expect(registriesOf({ imageSource: 'upload', insecureRegistries: ['reg:5000'] }, images)).toEqual(
    [],
  );
});
