/** The host contract over SSH: the bed's vm, and sshds on loopback that allow little. */
import { join } from 'node:path';
import { HOST_TUNING } from '../../src/remote/settings.ts';
import { createSshHost } from '../../src/remote/ssh/ssh-host.ts';
import { BED, KEYS, SSH_PORT } from '../support/bed.ts';
import { startSshServer } from '../support/ssh-server.ts';
import { hostSuite } from './host.suite.ts';
import { filesSuite } from './host-files.suite.ts';

hostSuite('transfers on the control link', async () => {
  const server = await startSshServer();
  const host = createSshHost(server.settings({ transferLinks: 0 }));
  return {
    host,
    close: async () => {
      await host.close();
      await server.stop();
    },
  };
}, [filesSuite]);

hostSuite(
  'sshd that allows one channel per connection, with a login shell that talks',
  async () => {
    const noise = 'case "$SSH_ORIGINAL_COMMAND" in /bin/sh) echo motd; echo rc file >&2 ;; esac';
    const server = await startSshServer({
      maxSessions: 1,
      extra: [`ForceCommand ${noise}; exec $SSH_ORIGINAL_COMMAND`],
    });
    const host = createSshHost(server.settings({ loginBurst: 20 }));
    return {
      host,
      close: async () => {
        await host.close();
        await server.stop();
      },
    };
  },
);

hostSuite('sshd that allows two channels per connection', async () => {
  const server = await startSshServer({ maxSessions: 2 });
  const host = createSshHost(server.settings({ loginBurst: 20 }));
  return {
    host,
    close: async () => {
      await host.close();
      await server.stop();
    },
  };
});

hostSuite("the bed's vm", async () => {
  const host = createSshHost({
    ...HOST_TUNING,
    name: 'vm',
    hostname: '127.0.0.1',
    port: Number(SSH_PORT),
    user: 'alice',
    jumps: [],
    identityFiles: [KEYS.plain],
    knownHostsFiles: [join(BED, 'known_hosts')],
  });
  return { host, close: () => host.close() };
});
