/** A fake of a busy server: it answers the first requests with 503 and hands later ones on as they are, Host included. */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface BusyProxy extends AsyncDisposable {
  endpoint: string;
  /** How many requests have come. */
  count(): number;
}

export async function fakeBusyProxy(endpoint: string, busy: number): Promise<BusyProxy> {
  const { hostname: host, port } = new URL(endpoint);
  let count = 0;
  const server = createServer((incoming, response) => {
    count += 1;
    if (count <= busy) {
      incoming.resume();
      response.writeHead(503).end('<Error><Code>SlowDown</Code><Message>later</Message></Error>');
      return;
    }
    const { method = 'GET', url: path = '/', headers } = incoming;
    const passed = request({ host, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    passed.on('error', () => response.destroy());
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: () => count,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
