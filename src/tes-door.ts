/** TES over TCP as the configuration asks for it: a part of the composition root. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listenTes, type TesListenerOptions } from './api/tes/listener.ts';
import { organizationOf } from './api/tes/service-info.ts';
import type { Config, TesConfig } from './config/config.ts';
import { AppError } from './domain/failure.ts';
import { TOKEN_FILE } from './protocol/tes/token-file.ts';
import { readPrivateFile } from './remote/ssh/private-file.ts';

/** Gives what ends it. @throws TES_LISTEN_FAILED */
export async function serveTes(
  current: () => Config,
  deps: Pick<TesListenerOptions, 'service' | 'logger' | 'version'>,
): Promise<() => Promise<void>> {
  const { tes, daemon } = current();
  if (tes.listen === undefined) return async () => {};
  const tls = await tlsOf(tes);
  const api = await listenTes({
    ...deps,
    endpoint: tes.listen,
    names: tes.names ?? [],
    tokenFile: join(daemon.stateDir, TOKEN_FILE),
    tls,
    specDefaults: () => current().defaults,
    roots: () => current().tes.roots ?? [],
    organization: () => organizationOf(current().tes),
  });
  deps.logger.info({ listen: tes.listen, tls: tls !== undefined }, 'TES is served over TCP');
  return () => api.close();
}

/** The key is read as strictly as one of SSH: who can read it can be taken for this machine. */
async function tlsOf({ tlsCert, tlsKey }: TesConfig): Promise<TesListenerOptions['tls']> {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  const cert = await readFile(tlsCert).catch((error: Error) => {
    throw unusable('tls_cert', error.message);
  });
  const key = await readPrivateFile(tlsKey);
  if ('trouble' in key) throw unusable('tls_key', key.trouble);
  return { cert, key: key.bytes };
}

function unusable(key: string, why: string): AppError {
  return new AppError('TES_LISTEN_FAILED', `[tes] ${key} cannot be used: ${why}`);
}
