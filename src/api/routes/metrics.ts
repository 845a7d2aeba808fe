/** GET /metrics: the numbers of engine and process in the Prometheus text format. */
import type { FastifyInstance } from 'fastify';
import type { MetricFamily, MetricSample } from '../../engine/service.ts';
import { ROUTES } from '../../protocol/routes.ts';
import type { RouteDeps } from '../deps.ts';
import { startProcessMetrics } from '../process-metrics.ts';

export function addMetrics(api: FastifyInstance, { service, version, closing }: RouteDeps): void {
  const ownProcess = startProcessMetrics();
  closing.addEventListener('abort', () => ownProcess.stop(), { once: true });
  const info: MetricFamily = {
    name: 'towline_info',
    help: 'Always 1; the label says which Towline it is.',
    type: 'gauge',
    samples: [{ labels: { version }, value: 1 }],
  };
  api.route({
    method: ROUTES.metrics.method,
    url: ROUTES.metrics.path,
    handler: async (_request, reply) => {
      reply.type('text/plain; version=0.0.4; charset=utf-8');
      return prometheusText([info, ...ownProcess.read(), ...service.metrics()]);
    },
  });
}

/** One HELP and one TYPE line before the samples of each family; families without samples are left out. */
export function prometheusText(families: readonly MetricFamily[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, help, type, samples }) => {
      const lines = samples.map((sample) => `${name}${sampleText(sample)}\n`).join('');
      return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n${lines}`;
    })
    .join('');
}

function sampleText({ suffix, labels = {}, value }: MetricSample): string {
  const pairs = Object.entries(labels).map(
    ([label, text]) => `${label}="${escaped(text).replaceAll('"', '\\"')}"`,
  );
  return `${suffix ?? ''}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
