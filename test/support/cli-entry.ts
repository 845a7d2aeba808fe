/** The command line as a process, without the daemon: what tests of the CLI spawn. */
import { enableCompileCache } from 'node:module';

// most of the time of so short a process goes into taking the types out of its sources, which is cached, too
enableCompileCache();
const { runCli } = await import('../../src/cli/main.ts');

const code = await runCli(process.argv.slice(2), { version: '0.0.0-test' });
process.exit(code);
