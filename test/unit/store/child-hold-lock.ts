/** Takes the lock of a directory, says so, and keeps it until it is killed. */
import { lockStateDir } from '../../../src/store/lock-state-dir.ts';

try {
  await lockStateDir(process.argv[2] ?? '');
  process.stdout.write('locked\n');
  setInterval(() => {}, 1e6);
} catch (error) {
  const { code, context } = error as { code: string; context: { pid: string } };
  process.stdout.write(`${code} ${context.pid}\n`);
}
