/** Commits for ever, four tasks at a time, and prints "id version seq" after each acknowledgement. */
import { writeSync } from 'node:fs';
import { openStore } from '../../../src/store/open.ts';
import { aChange, anEvent, aTask, moved, staging } from '../../contract/store-tasks.ts';

const { store } = await openStore({ stateDir: process.argv[2] ?? '' });

async function forEver(): Promise<never> {
  let task = aTask();
  await store.insert([aChange(task)]);
  for (;;) {
    task = moved(task, staging());
    const events = [anEvent(task, { kind: 'placed', data: { version: task.version } })];
    const [event] = await store.commit({
      task,
      events,
      effects: [{ kind: 'stage', attempt: task.version }],
    });
    writeSync(1, `${task.id} ${task.version} ${event?.seq}\n`);
  }
}

await Promise.all([forEver(), forEver(), forEver(), forEver()]);
