/**
 * A real browser without a window, spoken to over its own protocol (Chrome DevTools, on two pipes): opens pages,
 * asks what they look like, takes pictures, and tells all that a page wanted to fetch or complained of.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const NAMES = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'];

export interface Look {
  width: number;
  height: number;
  scheme?: 'light' | 'dark';
  media?: 'screen' | 'print';
}

export interface Page {
  look(look: Look): Promise<void>;
  /** Evaluated from outside: what the page forbids to itself does not count. */
  evaluate<T>(expression: string): Promise<T>;
  /** The whole page as PNG. */
  picture(): Promise<Buffer>;
  /** URLs that were asked for, the page's own first. */
  readonly fetched: readonly string[];
  /** What it wrote on the console, its own breaches of its policy among that. */
  readonly complaints: readonly string[];
}

export interface Browser extends AsyncDisposable {
  open(url: string): Promise<Page>;
}

interface Message {
  id?: number;
  method?: string;
  sessionId?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  error?: { message: string };
}

/** @throws when this machine has none */
export function openBrowser(): Browser {
  const home = mkdtempSync(join(tmpdir(), 'towline-browser-'));
  const child = spawn(
    findBrowser(),
    // its sandbox needs rights that root in a container does not have; it opens only pages of our own
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      '--remote-debugging-pipe',
      `--user-data-dir=${home}`,
    ],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], env: { ...process.env, HOME: home } },
  );
  const talk = createTalk(child);
  return {
    open: (url) => openPage(talk, url),
    async [Symbol.asyncDispose]() {
      // not `close`: helpers of its own may hold the pipes a while longer
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode === null && child.signalCode === null) {
        await Promise.race([talk.call('Browser.close'), ended]);
        await ended;
      }
      for (const pipe of child.stdio) pipe?.destroy();
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function findBrowser(): string {
  const places = (process.env['PATH'] ?? '').split(delimiter);
  const paths = NAMES.flatMap((name) => places.map((place) => join(place, name)));
  const found = paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new Error(`no browser is here: none of ${NAMES.join(', ')}`);
  return found;
}

type Talk = ReturnType<typeof createTalk>;

/** Messages are JSON with a zero byte after each. */
function createTalk(child: ChildProcess) {
  const [input, output] = [child.stdio[3] as Writable, child.stdio[4] as Readable];
  const waiting = new Map<number, (message: Message) => void>();
  const listeners = new Set<(message: Message) => void>();
  let last = 0;
  let rest = '';
  const gone = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('close', () => reject(new Error('the browser has ended')));
  });
  gone.catch(() => {});
  input.on('error', () => {});
  output.setEncoding('utf8').on('data', (chunk: string) => {
    const messages = (rest + chunk).split('\0');
    rest = messages.pop() ?? '';
    for (const text of messages) {
      const message = JSON.parse(text) as Message;
      if (message.id === undefined) for (const listener of listeners) listener(message);
      else waiting.get(message.id)?.(message);
    }
  });
  return {
    async call<T>(method: string, params: object = {}, sessionId?: string): Promise<T> {
      last += 1;
      const id = last;
      const answer = new Promise<Message>((resolve) => waiting.set(id, resolve));
      input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
      const { result, error } = await Promise.race([answer, gone]);
      waiting.delete(id);
      if (error !== undefined) throw new Error(`${method}: ${error.message}`);
      return result as T;
    },
    on(sessionId: string, listener: (message: Message) => void): void {
      listeners.add((message) => {
        if (message.sessionId === sessionId) listener(message);
      });
    },
    gone,
  };
}

async function openPage(talk: Talk, url: string): Promise<Page> {
  const { targetId } = await talk.call<{ targetId: string }>('Target.createTarget', {
    url: 'about:blank',
  });
  const { sessionId } = await talk.call<{ sessionId: string }>('Target.attachToTarget', {
    targetId,
    flatten: true,
  });
  const call = <T>(method: string, params: object = {}) => talk.call<T>(method, params, sessionId);
  const [fetched, complaints]: [string[], string[]] = [[], []];
  const loaded = Promise.withResolvers<void>();
  talk.on(sessionId, ({ method, params = {} }) => {
    if (method === 'Network.requestWillBeSent')
      fetched.push((params['request'] as { url: string }).url);
    if (method === 'Log.entryAdded') complaints.push((params['entry'] as { text: string }).text);
    if (method === 'Page.loadEventFired') loaded.resolve();
  });
  for (const domain of ['Page', 'Network', 'Log']) await call(`${domain}.enable`);
  await call('Page.navigate', { url });
  await Promise.race([loaded.promise, talk.gone]);
  return {
    fetched,
    complaints,
    async look({ width, height, scheme = 'light', media = 'screen' }) {
      await call('Emulation.setDeviceMetricsOverride', {
        width,
        height,
        deviceScaleFactor: 1,
        mobile: false,
      });
      const features = [{ name: 'prefers-color-scheme', value: scheme }];
      await call('Emulation.setEmulatedMedia', { media, features });
    },
    async evaluate<T>(expression: string) {
      const { result } = await call<{ result: { value: T } }>('Runtime.evaluate', {
        expression,
        returnByValue: true,
      });
      return result.value;
    },
    async picture() {
      const { cssContentSize } = await call<{ cssContentSize: object }>('Page.getLayoutMetrics');
      const clip = { ...cssContentSize, x: 0, y: 0, scale: 1 };
      const shot = { format: 'png', captureBeyondViewport: true, clip };
      const { data } = await call<{ data: string }>('Page.captureScreenshot', shot);
      return Buffer.from(data, 'base64');
    },
  };
}
