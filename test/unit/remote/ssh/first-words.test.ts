/** Goal: what is said before the banner is heard, and the client still gets every byte. Method: streams by hand. */
import { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import { hearFirstWords } from '../../../../src/remote/ssh/first-words.ts';

/** A socket that says these, read by a client that comes late. */
async function said(...chunks: (string | Buffer)[]) {
  const socket = new Duplex({ read: () => {}, write: (_, __, done) => done() });
  const words = hearFirstWords(socket);
  for (const chunk of chunks) socket.push(chunk);
  await new Promise((resolve) => setImmediate(resolve));
  const read: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => read.push(chunk));
  await new Promise((resolve) => setImmediate(resolve));
  return { words, read: Buffer.concat(read).toString('latin1') };
}

it.each(['Not allowed at this time\r\n', 'Exceeded MaxStartups\r\n'])(
  'knows %j as being turned away',
  async (line) => {
    const { words, read } = await said(line.slice(0, 5), line.slice(5));
    expect([words.turnedAway(), words.banner(), words.text()]).toEqual([true, false, line.trim()]);
    expect(read).toBe(line);
  },
);

it('hears the banner, also after a greeting, and never mistakes what follows it', async () => {
  const { words } = await said('Welcome\r\nSSH-2.0-OpenSSH_10.6\r\n', 'Not allowed at this time');
  expect([words.banner(), words.turnedAway()]).toEqual([true, false]);
});

it('hears nothing where nothing is said', async () => {
  const { words } = await said();
  expect([words.banner(), words.turnedAway(), words.text()]).toEqual([false, false, '']);
});

it('shows other words short and without control characters', async () => {
  const { words } = await said(`HTTP/1.1 400 \u001b[2J${'x'.repeat(500)}`);
  expect([words.turnedAway(), words.text()]).toEqual([false, `HTTP/1.1 400  [2J${'x'.repeat(63)}`]);
});
