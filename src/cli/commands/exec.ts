/** towline exec, towline shell: a command inside a task that runs or was kept. */
import type { Command } from 'commander';
import { type Call, type Cli, onAction, usage } from '../call.ts';

interface ExecOptions {
  tty?: boolean;
  n?: boolean;
}

const EXEC = `Run a command inside a task: the same image, directories and environment.

While the task runs the command sees its processes. A task that has ended and was kept is looked at
in a new container over the same directories. The exit code is the command's own; 125 for everything
that is not the command's. Our stdin is the command's, unless -n is given; Ctrl-C goes to the
command, and when we end it is ended, too.

Example: towline exec k3f9a2 -- nvidia-smi
         cat params.txt | towline exec k3f9a2 -- sh -c 'cat >params.txt'`;

const SHELL = `Open a shell inside a task, as \`towline exec --tty\` with bash where the image has it, else sh.

Example: towline shell k3f9a2`;

const FIND_SHELL = 'command -v bash >/dev/null 2>&1 && exec bash -i; exec sh -i';

export function addExec(program: Command, cli: Cli): void {
  const command = program
    .command('exec')
    .summary('run a command inside a task')
    .description(EXEC)
    .usage('[options] <id> -- command…')
    .argument('<id>', 'id of a task, or its beginning')
    .option('-t, --tty', 'on a terminal; its two outputs are then one')
    .option('-n', 'give the command no stdin');
  onAction<ExecOptions>(command, cli, async (call) => {
    const words = cli.afterDashes ?? [];
    if (words.length === 0) usage('exec', 'the command goes after --: towline exec ID -- CMD…');
    return run(call, words, call.options);
  });
}

export function addShell(program: Command, cli: Cli): void {
  const command = program
    .command('shell')
    .summary('open a shell inside a task')
    .description(SHELL)
    .argument('<id>', 'id of a task, or its beginning');
  onAction(command, cli, async (call) => {
    const { hasTerminal } = await import('../inside/terminal.ts');
    if (!hasTerminal()) {
      const id = call.args[0] ?? 'ID';
      usage('shell', `stdin and stdout are no terminal; without one: towline exec ${id} -- CMD…`);
    }
    return run(call, ['/bin/sh', '-c', FIND_SHELL], { tty: true });
  });
}

async function run(call: Call, command: string[], options: ExecOptions): Promise<number> {
  const { runInside } = await import('../inside/run-inside.ts');
  const { tty = false, n = false } = options;
  return runInside(call, { id: call.args[0] ?? '', command, tty, stdin: !n });
}
