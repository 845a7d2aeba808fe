/** Goal: a root that tasks may be in is never taken for one that is not there yet. Method: states by hand. */
import { expect, test } from 'vitest';
import type { TaskState } from '../../../src/domain/state.ts';
import type { Task } from '../../../src/domain/task.ts';
import { heldRoots } from '../../../src/engine/held-roots.ts';

const ROOT = '/srv/root';

function task(state: object, history: object[] = []): Task {
  return { state: state as TaskState, history } as unknown as Task;
}

const launch = { root: ROOT };

test.each([
  ['nothing of it was sent yet', { kind: 'pulling', host: 'vm' }, []],
  ['a launch may have worked', { kind: 'launching', host: 'vm' }, 'any'],
  ['it runs', { kind: 'running', host: 'vm', launch }, [ROOT]],
  ['it runs elsewhere', { kind: 'running', host: 'other', launch }, []],
  ['nobody knows what is cancelled', { kind: 'cancelling', host: 'vm', published: true }, 'any'],
  ['it was never published', { kind: 'cancelling', host: 'vm', published: false }, []],
  ['it is to be removed', { kind: 'failed', host: 'vm', launch, cleanup: 'pending' }, [ROOT]],
  ['it is kept for its owner', { kind: 'failed', host: 'vm', launch, cleanup: 'kept' }, []],
])('%s', (_, state, roots) => {
  expect(heldRoots([task(state)], 'vm')).toEqual(roots);
});

test('an earlier attempt that is to be removed holds its root', () => {
  const past = { host: 'vm', root: ROOT, cleanup: 'pending' };
  expect(heldRoots([task({ kind: 'queued' }, [past])], 'vm')).toEqual([ROOT]);
});
