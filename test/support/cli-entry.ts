/** The command line as a process, without the daemon: what tests of the CLI spawn. */
import { runCli } from '../../src/cli/main.ts';

const code = await runCli(process.argv.slice(2), { version: '0.0.0-test' });
process.exit(code);
