/**
 * Two tasks, the second of which reads what the first has made, and a third that fails. Needs a running daemon:
 * `node examples/clients/pipeline.ts` (Node 24 or newer, `npm run build` before; elsewhere `npm install towline`).
 */
import { join } from 'node:path';
import { createClient, TaskFailed, TowlineError } from 'towline/client';

const towline = createClient();
const here = import.meta.dirname;
const image = process.env['DEMO_IMAGE'] ?? 'docker://registry:5000/mini:1';

// Ctrl-C cancels whatever has not ended yet
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
const { signal } = stop;

try {
  await pipeline();
} catch (error) {
  if (signal.aborted) process.exitCode = 130;
  else if (error instanceof TowlineError) {
    console.error(`${error.code}: ${error.message}\nhint: ${error.hint}`);
    process.exitCode = 1;
  } else throw error;
}

async function pipeline(): Promise<void> {
  const count = await towline.run(
    {
      name: 'count',
      image,
      inputs: [join(here, '../text-demo/count-words.sh'), join(here, 'words.txt')],
      command: 'sh ../inputs/count-words.sh ../inputs/words.txt counts.txt 0.5',
      share: ['counts.txt'],
    },
    { signal },
  );
  const counts = `workflow:///${count.id}/counts.txt`;
  const top = await towline.run(
    { name: 'top', image, command: ['head', '-n', '3', counts] },
    { signal },
  );
  const find = await towline.run(
    { name: 'find', image, command: ['grep', 'unicorn', counts] },
    { signal },
  );

  for await (const line of count.stdout.lines()) console.log(line);
  await count.done;
  console.log('the most frequent:');
  for await (const line of top.stdout.lines()) console.log(line);
  await top.done;
  try {
    await find.done;
  } catch (error) {
    if (!(error instanceof TaskFailed) || error.code !== 'TASK_EXIT_CODE') throw error;
    console.log(`no unicorn: grep ended with ${error.exitCode}`);
  }
}
