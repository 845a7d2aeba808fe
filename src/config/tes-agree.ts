/** What [tes] says must go together: nothing is told over a network without TLS. */
import type { Config } from './config.ts';
import type { Problem } from './problem.ts';
import type { Winners } from './resolve.ts';

export function tesDisagreements({ tes }: Config, winners: Winners): Problem[] {
  const problems: Problem[] = [];
  const refuse = (key: string, what: string): void => {
    const place = winners.get(`tes.${key}`)?.place;
    const where = place === undefined ? {} : { place };
    problems.push({ code: 'CONFIG_VALUE_INVALID', ...where, section: 'tes', key, what });
  };
  if (tes.tlsCert !== undefined && tes.tlsKey === undefined) refuse('tls_cert', 'needs tls_key');
  if (tes.tlsKey !== undefined && tes.tlsCert === undefined) refuse('tls_key', 'needs tls_cert');
  if (tes.listen !== undefined && tes.tlsCert === undefined && !isLoopback(tes.listen)) {
    const what =
      'is an address that others reach: set tls_cert and tls_key, or listen on 127.0.0.1';
    refuse('listen', what);
  }
  return problems;
}

function isLoopback(endpoint: string): boolean {
  return /^127\.|^\[::1\]:/.test(endpoint);
}
