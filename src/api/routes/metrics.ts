/** GET /metrics: the engine's numbers in the Prometheus text format. */
import type { FastifyInstance } from 'fastify';
import { ROUTES } from '../../protocol/routes.ts';
import type { RouteDeps } from '../deps.ts';

export function addMetrics(api: FastifyInstance, { service, version }: RouteDeps): void {
  api.route({
    method: ROUTES.metrics.method,
    url: ROUTES.metrics.path,
    handler: async (_request, reply) => {
      reply.type('text/plain; version=0.0.4; charset=utf-8');
      const info = { [`towline_info{version="${version}"}`]: 1 };
      return prometheusText({ ...info, ...service.metrics() });
    },
  });
}

/** One TYPE line before the samples of each name; names that end in _total are counters. */
export function prometheusText(numbers: Record<string, number>): string {
  const families = new Map<string, string[]>();
  for (const [sample, value] of Object.entries(numbers)) {
    const name = sample.split('{')[0] ?? sample;
    const lines = families.get(name) ?? [];
    lines.push(`${sample} ${value}`);
    families.set(name, lines);
  }
  const text = [...families].map(([name, lines]) => {
    const type = name.endsWith('_total') ? 'counter' : 'gauge';
    return `# TYPE ${name} ${type}\n${lines.join('\n')}\n`;
  });
  return text.join('');
}
