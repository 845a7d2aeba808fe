/** A TES client as tests need one: plain requests on the socket of a daemon, or on a port. */
import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { until } from '../until.ts';

export interface TesAnswer<T = unknown> {
  status: number;
  body: T;
}

export interface TesTaskJson {
  id: string;
  state: string;
  logs?: {
    logs: { exit_code: number; stdout?: string; stderr?: string }[];
    outputs: { url: string; path: string; size_bytes: string }[];
    system_logs?: string[];
  }[];
  [field: string]: unknown;
}

export interface TesClient {
  call<T = unknown>(method: string, path: string, body?: unknown): Promise<TesAnswer<T>>;
  create(task: unknown): Promise<string>;
  get(id: string, view?: string): Promise<TesTaskJson>;
  /** FULL, once it has ended. */
  ended(id: string): Promise<TesTaskJson>;
}

/** The states in which a task stays. */
export const ENDS = ['COMPLETE', 'EXECUTOR_ERROR', 'SYSTEM_ERROR', 'CANCELED'];

/** With `ca` over TLS. */
export type TesPlace = { socketPath: string } | { host: string; port: number; ca?: Buffer };

export function tesClient(
  place: TesPlace,
  options: { base?: string; headers?: Record<string, string> } = {},
): TesClient {
  const { base = '/ga4gh/tes/v1', headers = {} } = options;
  const call = <T>(method: string, path: string, body?: unknown): Promise<TesAnswer<T>> =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const json = { 'content-type': 'application/json' };
      const sent = ('ca' in place ? requestTls : request)(
        { ...place, method, path: base + path, headers: { ...json, ...headers }, agent: false },
        (response) => {
          let all = '';
          response.on('data', (chunk: Buffer) => (all += chunk.toString()));
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, body: JSON.parse(all || 'null') as T }),
          );
        },
      );
      sent.on('error', reject);
      sent.end(text);
    });
  const get = async (id: string, view = 'FULL'): Promise<TesTaskJson> =>
    (await call<TesTaskJson>('GET', `/tasks/${id}?view=${view}`)).body;
  return {
    call,
    get,
    async create(task) {
      const { status, body } = await call<{ id: string }>('POST', '/tasks', task);
      if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`);
      return body.id;
    },
    async ended(id) {
      const ended = async () => ENDS.includes((await get(id, 'MINIMAL')).state);
      await until(ended, () => `task ${id} ends`, 150_000).catch(async (error: Error) => {
        throw new Error(`${error.message}: ${JSON.stringify(await get(id))}`);
      });
      return get(id);
    },
  };
}
