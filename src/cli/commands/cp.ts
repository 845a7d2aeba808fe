/** towline cp: files out of a task and into it. */
import type { Command } from 'commander';
import { type Call, type Cli, onAction, usage } from '../call.ts';
import { printJson } from '../output/json.ts';

interface CpOptions {
  overwrite?: boolean;
}

const DESCRIPTION = `Copy files out of a task that runs or was kept, or one file into it.

ID:PATH is relative to the work directory of the task, or a path in its container below a directory
of the task (/mnt/task/work, /mnt/task/inputs, /tmp, binds). Directories are copied with all that is
in them; quote globs, they are expanded on the far side. Links are not followed. LOCAL may be - for
stdout. A local name with a colon is written ./a:b.

Example: towline cp k3f9a2:results/ .
         towline cp 'k3f9a2:*.log' logs
         towline cp k3f9a2:progress.txt -
         towline cp params.txt k3f9a2:params.txt`;

export function addCp(program: Command, cli: Cli): void {
  const command = program
    .command('cp')
    .summary('copy files out of a task, or one into it')
    .description(DESCRIPTION)
    .argument('<from>', 'ID:PATH, or a local file')
    .argument('<to>', 'a local path, - for stdout, or ID:PATH')
    .option('--overwrite', 'replace files that are there');
  onAction<CpOptions>(command, cli, (call) => copy(call));
}

async function copy(call: Call<CpOptions>): Promise<void> {
  const [from = '', to = ''] = call.args;
  const [there, target] = [remoteOf(from), remoteOf(to)];
  const overwrite = call.options.overwrite === true;
  if ((there === undefined) === (target === undefined)) {
    usage(
      'cp',
      'one of the two is ID:PATH, the other a local path (write ./a:b for a name with a colon)',
    );
  }
  if (there !== undefined) {
    const { copyOut } = await import('../inside/copy-out.ts');
    const files = await copyOut(call, { ...there, target: to, overwrite });
    if (call.json && to !== '-') await summary(call, files);
    return;
  }
  const { copyIn } = await import('../inside/copy-in.ts');
  const file = await copyIn(call, {
    local: from,
    id: target?.id ?? '',
    path: target?.path ?? '',
    overwrite,
  });
  if (call.json) await summary(call, [file]);
}

function summary(call: Call, files: { bytes: number }[]): Promise<void> {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return printJson(call.io, { files, bytes });
}

/** ID:PATH; an id has letters and digits only. An empty path is the work directory. */
function remoteOf(word: string): { id: string; path: string } | undefined {
  const match = /^([A-Za-z0-9]+):(.*)$/s.exec(word);
  if (match === null) return undefined;
  const [, id = '', path = ''] = match;
  return { id, path: path === '' ? '.' : path };
}
