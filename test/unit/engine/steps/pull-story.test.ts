/** Goal: the pull of an image is told in order and nothing twice. Method: a teller that writes down what it is told, slowly at first. */
import { expect, test } from 'vitest';
import { AppError } from '../../../../src/domain/failure.ts';
import { tellPull } from '../../../../src/engine/steps/pull-story.ts';

const IMAGE = 'docker://a:1';
const busy = new AppError('IMAGE_RATE_LIMITED', 'later');

function house() {
  const told: string[] = [];
  const tell = async (event: { kind: string }): Promise<void> => {
    if (told.length === 0) await new Promise((resolve) => setImmediate(resolve));
    told.push(event.kind);
  };
  const trouble = async (error?: AppError) => void told.push(error?.code ?? 'goes on');
  return { told, story: tellPull({ attempt: 1, tell, trouble }, IMAGE) };
}

test('of an image that was there nothing is told', async () => {
  const { told, story } = house();
  await story.finished({ reference: IMAGE, path: '/a.sif' });
  expect(told).toEqual([]);
});

test('what keeps a pull waiting is told with each try, and taken back when it goes on', async () => {
  const { told, story } = house();
  for (let i = 0; i < 3; i += 1) story.running();
  story.waits(busy, 1_000);
  story.running();
  story.running();
  await story.finished({ reference: IMAGE, path: '/a.sif' });
  const waits = ['pull-started', 'pull-failed', 'IMAGE_RATE_LIMITED', 'goes on'];
  expect(told).toEqual([...waits, 'pull-started', 'pull-finished']);
});

test('a store that cannot write it fails the step, not the process', async () => {
  const broken = async (): Promise<void> => {
    throw new AppError('STORE_FULL', 'no space');
  };
  const story = tellPull({ attempt: 1, tell: broken, trouble: broken }, IMAGE);
  story.running();
  await new Promise((resolve) => setImmediate(resolve));
  await expect(story.gaveUp(busy)).rejects.toMatchObject({ code: 'STORE_FULL' });
});
