/** The host contract on this machine itself. */
import { expect, it } from 'vitest';
import { createLocalHost } from '../../src/remote/local/local-host.ts';
import { hostSuite } from './host.suite.ts';
import { failureOf } from './host-bench.ts';

hostSuite('local', async () => {
  const host = createLocalHost({ name: 'here' });
  return { host, close: () => host.close() };
});

it('a closed local host refuses calls', async () => {
  const host = createLocalHost({ name: 'here' });
  const states: string[] = [];
  host.onLinkState((state) => states.push(state.kind));
  await host.close();
  expect((await failureOf(host.run(':', { purpose: 'test' }))).code).toBe('HOST_CALL_ABORTED');
  expect(states).toEqual(['closed']);
});
