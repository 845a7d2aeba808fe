/** GET /metrics of a test's daemon, read strictly, as numbers by sample name. */
import { request } from 'node:http';
import type { TestDaemon } from './daemon.ts';
import { readMetrics } from './read-metrics.ts';

export async function metrics(daemon: TestDaemon): Promise<Record<string, number>> {
  const text = await new Promise<string>((resolve, reject) => {
    const call = request({ socketPath: daemon.socket, path: '/metrics' }, (reply) => {
      const chunks: Buffer[] = [];
      reply.on('data', (chunk: Buffer) => chunks.push(chunk));
      reply.on('end', () => resolve(Buffer.concat(chunks).toString()));
    });
    call.on('error', reject);
    call.end();
  });
  return Object.fromEntries(readMetrics(text));
}
