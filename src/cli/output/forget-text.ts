/** What of ours is on a host, or was removed from it, for people. */
import type { ForgetView } from '../../protocol/views.ts';
import { oneLine, sizeText } from './text.ts';

export function forgetText({ host, dryRun, mode, roots, imageCacheDir }: ForgetView): string {
  const would = dryRun ? 'would be removed' : 'removed';
  const lines = roots.flatMap((root) => [
    `${root.root}: ${counted(root)}, ${sizeText(root.bytes)} ${would}`,
    ...root.others.map((id) => `  left: images, store and the root, for daemon ${id}`),
    ...root.foreign.map((name) => `  left: ${name} is not of Towline`),
    ...root.kept.map(
      (what) => `  left: ${what}: something of it still runs, or it cannot be removed`,
    ),
    ...(root.gone ? ['  the root is gone'] : []),
  ]);
  if (roots.length === 0) lines.push(`nothing of ours is on ${host}`);
  if (imageCacheDir !== undefined) {
    lines.push(`left: images in ${imageCacheDir}, which may be shared: towline image list ${host}`);
  }
  lines.push(
    dryRun
      ? `nothing was removed; do it with: towline host forget ${host} --yes`
      : `${host} is ${mode}; towline host resume ${host} makes its root anew`,
  );
  return lines.map((line) => `${oneLine(line)}\n`).join('');
}

function counted({ attempts, images, objects }: ForgetView['roots'][number]): string {
  return `${attempts} attempts, ${images} images, ${objects} staged inputs`;
}
