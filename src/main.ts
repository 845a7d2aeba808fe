#!/usr/bin/env node
/**
 * The entry. A verb of the client loads little; `daemon` loads the house (daemon.ts, the composition
 * root) only when it is asked for.
 */
import { enableCompileCache } from 'node:module';
import { runCli } from './cli/main.ts';
import { VERSION } from './version.ts';

enableCompileCache();

process.exitCode = await runCli(process.argv.slice(2), {
  version: VERSION,
  startDaemon: async ({ config, socket, adoptState }) => {
    const { runDaemon } = await import('./daemon.ts');
    return runDaemon({ configFile: config, socket, adoptState });
  },
});
process.exit();
