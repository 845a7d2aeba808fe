/** A host that tells the log what is asked of it, how long it took and how it ended. */
import { isAppError } from '../../domain/failure.ts';
import type { Host } from '../host.ts';
import type { Logger } from '../logger.ts';

/** The same host; scripts and bytes are never logged, only purposes and paths. */
export function logged(host: Host, logger: Logger): Host {
  const timed = async <T>(fields: object, work: Promise<T>): Promise<T> => {
    const startedAt = performance.now();
    const tell = (outcome: string): void => {
      const ms = Math.round((performance.now() - startedAt) * 10) / 10;
      logger.debug({ host: host.name, ...fields, ms, outcome }, 'host call');
    };
    try {
      const result = await work;
      tell('ok');
      return result;
    } catch (error) {
      tell(isAppError(error) ? error.code : String(error));
      throw error;
    }
  };
  const { keys } = host;
  return {
    name: host.name,
    linkState: () => host.linkState(),
    onLinkState: (listener) => host.onLinkState(listener),
    counters: () => host.counters(),
    budget: () => host.budget(),
    run: (script, options) =>
      timed(
        { call: 'run', purpose: options.purpose, lane: options.lane },
        host.run(script, options),
      ),
    openProcess: (script, options) =>
      timed(
        { call: 'openProcess', purpose: options.purpose, tty: options.tty !== undefined },
        host.openProcess(script, options),
      ),
    readRange: (path, offset, room) =>
      timed(
        { call: 'readRange', path, offset, length: typeof room === 'number' ? room : room.length },
        host.readRange(path, offset, room),
      ),
    list: (path) => timed({ call: 'list', path }, host.list(path)),
    upload: (source, target, options) =>
      timed(
        { call: 'upload', path: target, offset: options?.offset },
        host.upload(source, target, options),
      ),
    download: (source, write, options) =>
      timed(
        { call: 'download', ...source, offset: options?.offset },
        host.download(source, write, options),
      ),
    keys: keys && {
      offered: () => timed({ call: 'offered' }, keys.offered()),
      pin: (request) => timed({ call: 'pin', ...request }, keys.pin(request)),
    },
    inspect: (tell) => timed({ call: 'inspect' }, host.inspect(tell)),
    wake: () => host.wake(),
    login: (ask) => timed({ call: 'login' }, host.login(ask)),
    close: () => host.close(),
  };
}
