/** What `image prune` removed or would remove, for people. */
import type { PruneView } from '../../protocol/views.ts';
import { oneLine, sizeText } from './text.ts';

export function pruneText({ dryRun, images, bytes, kept }: PruneView): string {
  const verb = dryRun ? 'would be removed' : 'removed';
  const freed = `${sizeText(bytes)} ${dryRun ? 'would be freed' : 'freed'}`;
  const lines = [
    ...images.map(
      ({ reference, bytes: size, lastUsedAt }) =>
        `${reference} (${sizeText(size)}, last used ${lastUsedAt}) ${verb}`,
    ),
    `${images.length} ${verb}, ${freed}; ${kept.inUse} in use and ${kept.recent} used since then stay`,
  ];
  return lines.map((line) => `${oneLine(line)}\n`).join('');
}
