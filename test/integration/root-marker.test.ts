/**
 * Goal: a disk that was full at the first contact does not shut Towline out of its own root. Method: the real text on
 * this machine, under a limit that lets no byte be written, then without it; and with an empty marker that is there.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { probeText } from '../../src/script/probe.ts';

function contact(root: string, before = ''): string {
  const plan = { rootTemplate: root, runtime: 'apptainer' };
  const input = `${before}\n${probeText(plan)}`;
  return spawnSync('sh', { input, encoding: 'utf8' }).stdout;
}

function freshRoot(): string {
  const dir = mkdtempSync(join(tmpdir(), 'towline-marker-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return join(dir, 'root');
}

const MARKER = /^\{"format":1,"towline":"root","id":"[0-9a-f]{16}"\}\n$/;

test('a marker that cannot be written gets no name, and the next contact writes it', () => {
  const root = freshRoot();
  expect(contact(root, "ulimit -f 0; trap '' XFSZ")).toMatch(
    /^@ failed marker cannot be written$/m,
  );
  expect(contact(root)).toContain(`@ fact root ${root}`);
  expect(readFileSync(join(root, 'towline-root.json'), 'utf8')).toMatch(MARKER);
});

test('an empty marker is written anew', () => {
  const root = freshRoot();
  mkdirSync(root, { mode: 0o700 });
  writeFileSync(join(root, 'towline-root.json'), '');
  expect(contact(root)).toContain(`@ fact root ${root}`);
  expect(readFileSync(join(root, 'towline-root.json'), 'utf8')).toMatch(MARKER);
});

test('a root has one name of its own for all who look at it; an older one has none', () => {
  const root = freshRoot();
  const [id] = /@ fact rootId [0-9a-f]{16}\n/.exec(contact(root)) ?? [];
  expect(id).toBeDefined();
  expect(contact(root)).toContain(id);
  expect(contact(freshRoot())).not.toContain(id);
  writeFileSync(join(root, 'towline-root.json'), '{"format":1,"towline":"root"}\n');
  const older = contact(root);
  expect(older).toContain(`@ fact root ${root}`);
  expect(older).not.toContain('rootId');
});
