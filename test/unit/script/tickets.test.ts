/** Goal: only what is there to be seen says that a ticket was taken. Method: the text by a real shell over real files. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT_MARKER } from '../../../src/script/layout.ts';
import { takeTickets, ticketsText } from '../../../src/script/tickets.ts';

test('of those whose ticket is gone it is told; of a root that is away, nothing', () => {
  const root = mkdtempSync(join(tmpdir(), "towline it's-"));
  const dirs = ['a.1', 'b.1', 'c.2'].map((token) => `${root}/tasks/d/${token}`);
  for (const dir of dirs.slice(0, 2)) mkdirSync(dir, { recursive: true });
  writeFileSync(`${dirs[0]}/ticket`, '');
  writeFileSync(`${root}/${ROOT_MARKER}`, '');
  const ask = () => {
    const output = execFileSync('sh', ['-c', `${ticketsText(dirs)}\necho "@ host b m n"`]);
    return takeTickets(dirs, output.toString());
  };
  expect(ask()).toEqual({ taken: [dirs[1], dirs[2]], rest: '@ host b m n\n' });
  rmSync(`${root}/${ROOT_MARKER}`);
  expect(ask()).toEqual({ taken: [], rest: '@ host b m n\n' });
  rmSync(root, { recursive: true });
});
