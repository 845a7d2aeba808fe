/** towline completion bash|zsh|fish: a script made from the tree of commands. */
import { Argument, type Command } from 'commander';
import { type Cli, onAction } from '../call.ts';

const DESCRIPTION = `Print a completion script. To use it:

  bash   towline completion bash > ~/.local/share/bash-completion/completions/towline
  zsh    towline completion zsh > "\${fpath[1]}/_towline"
  fish   towline completion fish > ~/.config/fish/completions/towline.fish`;

export function addCompletion(program: Command, cli: Cli): void {
  const command = program
    .command('completion')
    .summary('print a completion script')
    .description(DESCRIPTION)
    .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(['bash', 'zsh', 'fish']));
  onAction(command, cli, async (call) => {
    const [{ completionScript }, { buildProgram }] = await Promise.all([
      import('../completion/scripts.ts'),
      import('../main.ts'),
    ]);
    const shell = call.args[0] as 'bash' | 'zsh' | 'fish';
    return call.io.out.write(completionScript(await buildProgram(cli), shell));
  });
}
