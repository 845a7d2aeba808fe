/** A host whose every act lies between two fault points: `remote.run.before`, `remote.run.after`. */
import { between } from '../../fault.ts';
import type { Host, Inspection } from '../host.ts';

/** The same host. Closing is no act on the host: it lets go. */
export function withFaultPoints(host: Host): Host {
  const { keys } = host;
  return {
    name: host.name,
    linkState: () => host.linkState(),
    onLinkState: (listener) => host.onLinkState(listener),
    counters: () => host.counters(),
    budget: () => host.budget(),
    run: (...args) => between('remote.run', () => host.run(...args)),
    openProcess: (...args) => between('remote.openProcess', () => host.openProcess(...args)),
    readRange: (...args) => between('remote.readRange', () => host.readRange(...args)),
    list: (...args) => between('remote.list', () => host.list(...args)),
    upload: (...args) => between('remote.upload', () => host.upload(...args)),
    download: (...args) => between('remote.download', () => host.download(...args)),
    keys: keys && {
      offered: () => between('remote.offered', () => keys.offered()),
      pin: (request) => between('remote.pin', () => keys.pin(request)),
    },
    inspect: (tell) => between('remote.inspect', async () => pointed(await host.inspect(tell))),
    wake: () => host.wake(),
    login: (ask) => between('remote.login', () => host.login(ask)),
    close: () => host.close(),
  };
}

function pointed(inspection: Inspection): Inspection {
  return {
    link: inspection.link,
    run: (...args) => between('remote.run', () => inspection.run(...args)),
    close: () => inspection.close(),
  };
}
