#!/usr/bin/env node
/**
 * The entry. A verb of the client loads little; `daemon` loads the house (daemon.ts, the composition
 * root) only when it is asked for. Everything is imported after the compile cache is on.
 */
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { runCli } = await import('./cli/main.ts');
const { VERSION } = await import('./version.ts');

process.exitCode = await runCli(process.argv.slice(2), {
  version: VERSION,
  startDaemon: async ({ config, socket, adoptState }) => {
    const { runDaemon } = await import('./daemon.ts');
    return runDaemon({ configFile: config, socket, adoptState });
  },
});
process.exit();
