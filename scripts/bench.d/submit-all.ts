/** Many tasks at once, as a script would: one `towline submit --file`, one `towline wait`. */
import { MINI, onHost } from '../../test/support/bed.ts';
import type { TestDaemon } from '../../test/support/daemon.ts';

/** Resolves once all have succeeded. */
export async function submitAll(daemon: TestDaemon, file: string): Promise<void> {
  const submitted = await daemon.cli('submit', '--file', file);
  if (submitted.code !== 0)
    throw new Error(`submit ended with ${submitted.code}: ${submitted.stderr}`);
  const ids = submitted.stdout.trim().split('\n');
  const waited = await daemon.cli('wait', ...ids);
  if (waited.code !== 0) throw new Error(`wait ended with ${waited.code}: ${waited.stderr}`);
}

/** Gives the path on the host of the small image, which one task has had pulled. */
export async function imageOf(daemon: TestDaemon): Promise<string> {
  const ran = await daemon.run('true');
  if (ran.code !== 0) throw new Error(`the first task ended with ${ran.code}: ${ran.stderr}`);
  const id = JSON.parse((await daemon.cli('list', '--json')).stdout).tasks[0].id as string;
  const { imagePath } = await daemon.show(id);
  if (imagePath === undefined) throw new Error(`task ${id} of ${MINI} tells no path of its image`);
  await onHost('vm', 'test', '-f', imagePath);
  return imagePath;
}
