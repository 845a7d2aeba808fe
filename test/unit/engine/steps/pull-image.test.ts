/** Goal: the first image that can be had is taken, and only an image's own trouble passes to the next. Method: a keeper that has what the test says. */
import { expect, test } from 'vitest';
import { AppError, type ErrorCode } from '../../../../src/domain/failure.ts';
import type { ImageKeeper } from '../../../../src/engine/images.ts';
import { createPullImage } from '../../../../src/engine/steps/pull-image.ts';
import { TO_RUNNING } from '../../../support/builders.ts';
import { seatsOf, someSettings } from '../../../support/engine-parts.ts';
import { FakeHost } from '../../../support/fake-host.ts';
import { contextOf } from './context.ts';

const IMAGES = ['docker://a:1', 'docker://b:1', 'docker://c:1'];

async function pull(has: Record<string, ErrorCode | 'ready'>) {
  const asked: string[] = [];
  const progress: string[] = [];
  const keeper: Pick<ImageKeeper, 'have'> = {
    async have(_, reference, { onProgress }) {
      asked.push(reference);
      onProgress(5);
      const found = has[reference] ?? 'IMAGE_MANIFEST_UNKNOWN';
      if (found !== 'ready') throw new AppError(found, `${reference} cannot be had`);
      return { reference, path: '/x.sif' };
    },
  };
  const step = createPullImage({
    store: { daemonId: 'd1', listTasks: async () => ({ tasks: [] }) },
    seats: await seatsOf([[{}, new FakeHost()]]),
    images: keeper,
    settings: () => someSettings([]),
    onProgress: (_, { what, bytesDone }) => progress.push(`${what} ${bytesDone}`),
  });
  const { context, told } = contextOf({ images: IMAGES }, TO_RUNNING[0] as never);
  return { news: step(context), asked, progress, told };
}

test('candidates are tried in order, one after another, and the first that can be had is used', async () => {
  const { news, asked, progress, told } = await pull({ 'docker://b:1': 'ready' });
  expect(await news).toMatchObject({ kind: 'image-ready', image: { reference: 'docker://b:1' } });
  expect(asked).toEqual(IMAGES.slice(0, 2));
  expect(progress).toEqual(['docker://a:1 5', 'docker://b:1 5']);
  expect(told).toMatchObject([
    { kind: 'pull-started', image: 'docker://a:1' },
    { kind: 'pull-failed', image: 'docker://a:1', failure: { code: 'IMAGE_MANIFEST_UNKNOWN' } },
    { kind: 'pull-started', image: 'docker://b:1' },
    { kind: 'pull-finished', image: { reference: 'docker://b:1' } },
  ]);
});

test('when none can be had the first reason is told, with the words of all', async () => {
  const { news } = await pull({ 'docker://b:1': 'IMAGE_UNAUTHORIZED' });
  expect(await news).toMatchObject({
    kind: 'step-failed',
    failure: {
      code: 'IMAGE_MANIFEST_UNKNOWN',
      message:
        'none of 3 images can be had: docker://a:1 cannot be had; docker://b:1 cannot be had; docker://c:1 cannot be had',
      context: { task: 'task1' },
    },
  });
});

test.each<ErrorCode>(['SSH_CONNECTION_LOST', 'HOST_NO_SPACE', 'RUNTIME_NOT_FOUND'])(
  '%s is the host’s trouble: no other image helps',
  async (code) => {
    const { news, asked } = await pull({ 'docker://a:1': code, 'docker://b:1': 'ready' });
    await expect(news).rejects.toMatchObject({ code });
    expect(asked).toEqual(['docker://a:1']);
  },
);
