/** The logging host is the host itself, and tells purpose and outcome but never the script. */
import { expect, it } from 'vitest';
import { createLocalHost } from '../../../../src/remote/local/local-host.ts';
import { SILENT_LOGGER } from '../../../../src/remote/logger.ts';
import { logged } from '../../../../src/remote/wrap/logged.ts';

it('logs what was asked, how long it took and how it ended', async () => {
  const lines: object[] = [];
  const logger = { ...SILENT_LOGGER, debug: (fields: object) => void lines.push(fields) };
  const host = logged(createLocalHost({ name: 'here' }), logger);
  expect(await host.run('echo s3cret', { purpose: 'greeting' })).toEqual({
    code: 0,
    output: 's3cret\n',
  });
  await expect(host.list('/no/such/place')).rejects.toThrow('/no/such/place');
  await host.close();
  expect(lines).toMatchObject([
    { host: 'here', call: 'run', purpose: 'greeting', outcome: 'ok', ms: expect.any(Number) },
    { host: 'here', call: 'list', path: '/no/such/place', outcome: 'SFTP_NOT_FOUND' },
  ]);
  expect(JSON.stringify(lines)).not.toContain('s3cret');
});
