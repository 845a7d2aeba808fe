/** Where images come from and go to, and what keeps containers from being quick: cache, registries, overlays. */

import {
  asRoot,
  failure,
  here,
  inIni,
  inWords,
  type Judgement,
  ok,
  onHost,
  short,
  warning,
} from '../../domain/judgement.ts';
import { quote } from '../../script/quote.ts';
import type { Case } from './case.ts';
import { isNetworkFileSystem, sizeText } from './judge-root.ts';

const GIB = 1024 ** 3;
/** An image of a usual distribution with a few tools, and what is unpacked to make it. */
const IMAGE_BYTES_FEW = GIB;

export function judgeImageCache({ facts, policy }: Case): Judgement {
  if (facts?.imagesDir === undefined) return undefined;
  const { imagesDir, imagesKind, imagesWritable, imagesCount = 0, imagesFreeBytes, root } = facts;
  const inRoot = root === undefined ? '~/.towline/images' : `${root}/images`;
  const elsewhere = inIni(`image_cache_dir = ${inRoot}`);
  // What is wrong with the root itself is told there.
  const apart = policy.imageCacheDir !== undefined && imagesDir !== inRoot;
  if (imagesKind === 'other') {
    return failure(`${imagesDir} is not a directory`, {
      code: 'IMAGE_PULL_FAILED',
      remedy: elsewhere,
    });
  }
  const free = imagesFreeBytes === undefined ? '' : `, ${sizeText(imagesFreeBytes)} free`;
  const home = facts.imagesOnHome === true ? ', on the file system of the home directory' : '';
  const detail = `${imagesDir}, ${imagesCount} images${free}${home}`;
  if (imagesWritable === false && apart) {
    if (imagesCount > 0)
      return ok(`${detail}; read-only: what is there is used, nothing is pulled`);
    return failure(`${detail}; ${facts.user} may not write there`, {
      code: 'IMAGE_PULL_FAILED',
      cause: 'no image can be pulled',
      remedy: elsewhere,
    });
  }
  if (isNetworkFileSystem(facts.imagesFsType)) {
    return warning(`${detail}; ${facts.imagesFsType}, a network file system`, {
      cause: 'each start reads its image over the network, and hangs when its server does',
      remedy: apart
        ? elsewhere
        : inWords(
            'set image_cache_dir = … to a directory on a local disk of the host, if it has one',
          ),
    });
  }
  if (apart && (imagesFreeBytes ?? GIB) < IMAGE_BYTES_FEW) {
    return warning(detail, {
      cause: 'images need more, twice while they are pulled',
      remedy: (facts.freeBytes ?? 0) >= IMAGE_BYTES_FEW ? elsewhere : here('towline gc --images'),
    });
  }
  return ok(detail);
}

export function judgeRegistries({ facts, policy }: Case): Judgement {
  if (facts === undefined) return undefined;
  const { registries } = facts;
  if (registries.length === 0) return ok('none is configured, or nothing there can ask them');
  const away = registries.filter(({ words }) => words !== undefined);
  if (away.length === 0) return ok(`reached: ${registries.map(({ name }) => name).join(', ')}`);
  const told = away.map(({ name, words = '' }) => `${name}: ${short(words)}`).join('; ');
  return warning(`not reached: ${told}`, {
    code: 'IMAGE_REGISTRY_UNREACHABLE',
    cause:
      'the name is wrong, or a firewall or a missing proxy is in the way; images that are there still run',
    remedy: inIni(
      away.some(({ name }) => policy.insecureRegistries?.includes(name) === true)
        ? 'insecure_registries = NAME:PORT'
        : 'image_source = auto',
    ),
  });
}

export function judgeOverlays({ facts }: Case): Judgement {
  if (facts === undefined) return undefined;
  const { overlays } = facts;
  if (overlays.length === 0) return ok('none of an ended attempt is in use');
  const pids = [...new Set(overlays.map(({ pid }) => pid))].join(' ');
  return warning(`in use by processes ${pids}: ${overlays.map(({ path }) => path).join(', ')}`, {
    cause:
      'the attempt has ended, but something of it still holds its overlay: another start would say "currently in use by another process"',
    remedy: onHost(`kill ${pids}`),
  });
}

/** The container ran, but not from its image: each start unpacked the whole of it first. */
export function judgeConversion({ container }: Case): Judgement {
  if (container?.code === undefined) return undefined;
  if (!/to temporary sandbox/i.test(container.words)) return ok('the image is mounted as it is');
  return warning('the image was unpacked to a temporary sandbox', {
    cause:
      'each start does that, which is slow and fills the temporary directory: squashfuse does not work there',
    remedy: inWords('install squashfuse on the host'),
  });
}

export function judgeGpu({ facts }: Case): Judgement {
  if (facts === undefined) return undefined;
  const { gpuTool, gpuCode, gpuCount = 0, gpuWords = '', gpuCard } = facts;
  if (gpuTool !== undefined && gpuCode === 0) return ok(`${gpuCount} by ${gpuTool}`);
  if (gpuTool !== undefined) {
    const module = gpuTool === 'nvidia-smi' ? 'nvidia' : 'amdgpu';
    return warning(`${gpuTool} does not answer: ${short(gpuWords)}`, {
      cause: 'its tools are installed, its driver does not run: tasks with --gpus find no host',
      remedy: asRoot(`modprobe ${quote(module)}`),
    });
  }
  if (gpuCard === undefined) return ok('none');
  const driver = gpuCard === 'NVIDIA' ? 'the NVIDIA driver and nvidia-smi' : 'ROCm and rocm-smi';
  return warning(`there is a ${gpuCard} card, but nothing that lists it`, {
    cause: 'without them its GPUs are not counted and given to no task',
    remedy: inWords(`install ${driver} on the host`),
  });
}
