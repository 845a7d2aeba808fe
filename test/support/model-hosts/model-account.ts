/**
 * One account of a host that is only a model: it answers the texts of src/script from memory, in the words that a shell
 * would say. An attempt runs from its launch until all are ended. A text that it does not know throws.
 */
import { FIRST_WORDS } from '../../../src/remote/shell/login-shell.ts';

interface Attempt {
  nonce: string;
  pid: number;
  /** Its exit record has been written. */
  ended: boolean;
}

const BOOT = '5c8b2c55-0000-4000-8000-0000000000b0';
const MACHINE = 'ad9646f68ac1402fa35558eb00000000';
const START = '100';
const FREE_BYTES = 10 ** 12;

export class ModelAccount {
  readonly #user: string;
  readonly #attempts = new Map<string, Attempt>();
  #pids = 1_000;

  constructor(user: string) {
    this.#user = user;
  }

  /** How many run. */
  get running(): number {
    return [...this.#attempts.values()].filter(({ ended }) => !ended).length;
  }

  /** Those that were not removed. */
  get kept(): number {
    return this.#attempts.size;
  }

  endAll(): void {
    for (const attempt of this.#attempts.values()) attempt.ended = true;
  }

  /** What the text would print. */
  answer(text: string): string {
    if (text === FIRST_WORDS) return 'sh\n/bin/bash';
    if (text.includes('@ fact rootId')) return this.#probed();
    if (/^T='[^']+' n='[^']+' part=/m.test(text)) return this.#launched(text);
    if (/^(look|glance) \d+ /m.test(text)) return this.#seen(text);
    if (/^for T; do clean "\$T"; done$/m.test(text)) return this.#cleaned(text);
    if (text.includes('@ bytes ')) return '@ bytes 1000\n@ done\n';
    throw new Error(`a text that the model does not know: ${text.slice(0, 2_000)}`);
  }

  #probed(): string {
    const facts = {
      ...{ root: rootOf(this.#user), rootId: 'a0b1c2d3e4f50617', uid: 1000, arch: 'x86_64' },
      ...{ user: this.#user, home: `/home/${this.#user}`, hostname: this.#user },
      ...{ machineId: MACHINE, bootId: BOOT, pidNamespace: 'pid:[1]', cpus: 64 },
      ...{ memoryBytes: FREE_BYTES, rootFsType: 'ext2/ext3', freeBytes: FREE_BYTES },
      clockMs: Date.now(),
    };
    const tools = ['mvNoTarget', 'syncFile', 'setsid', 'sha256sum', 'stat', 'defaultSignal'];
    return [
      ...Object.entries(facts).map(([name, value]) => `@ fact ${name} ${value}`),
      ...tools.map((tool) => `@ tool ${tool} 1`),
      '@ runtime /usr/bin/apptainer',
      '@ version apptainer version 1.4.5',
      '@ done\n',
    ].join('\n');
  }

  /** A launch that comes again starts nothing. */
  #launched(text: string): string {
    const [, token = '', nonce = ''] = /^T='([^']+)' n='([^']+)' part=/m.exec(text) ?? [];
    const dir = `${/^dir='([^']+)'/m.exec(text)?.[1]}/${token}`;
    const known = this.#attempts.get(dir);
    if (known !== undefined) return `@ already ${this.#record(known)}\n`;
    this.#pids += 1;
    const attempt = { nonce, pid: this.#pids, ended: false };
    this.#attempts.set(dir, attempt);
    return `@ started ${this.#record(attempt)}\n`;
  }

  #record({ nonce, pid }: Attempt): string {
    const where = { boot: BOOT, machine: MACHINE, hostname: this.#user };
    return JSON.stringify({ format: 1, n: nonce, pid, start: START, ...where, at: seconds() });
  }

  #seen(text: string): string {
    const lines = [`@ host ${BOOT} ${MACHINE} ${this.#user}`];
    let base = '';
    for (const line of text.split('\n')) {
      base = /^base='([^']+)' /.exec(line)?.[1] ?? base;
      const [, verb, index, name = ''] = /^(look|glance) (\d+) '([^']+)' /.exec(line) ?? [];
      if (index === undefined) continue;
      const attempt = this.#attempts.get(verb === 'look' ? name : `${base}/${name}`);
      lines.push(...seenOf(attempt, { index, known: verb === 'glance' }));
      if (attempt !== undefined) lines.push(`@ size 0 ${name}/stdout`, `@ size 0 ${name}/stderr`);
    }
    return `${lines.join('\n')}\n`;
  }

  #cleaned(text: string): string {
    const tasks = /^cd '([^']+)'/m.exec(text)?.[1];
    const words = /^set -- (.*)$/m.exec(text)?.[1]?.split(' ') ?? [];
    const lines = words.map((word) => {
      const token = word.slice(1, -1);
      const attempt = this.#attempts.get(`${tasks}/${token}`);
      if (attempt?.ended === false) return `@ busy ${token}`;
      this.#attempts.delete(`${tasks}/${token}`);
      return `@ cleaned ${token} 4`;
    });
    return `${[...lines, '@ done'].join('\n')}\n`;
  }
}

/** What a look says, or a glance at one that is known to run. */
function seenOf(
  attempt: Attempt | undefined,
  { index, known }: { index: string; known: boolean },
): string[] {
  if (attempt === undefined) return [`@ gone ${index}`];
  if (attempt.ended) return [`@ seen ${index} there go`, `@ exit ${index} ${exitOf(attempt)}`];
  return known ? [`@ same ${index}`] : [`@ seen ${index} there go`, `@ alive ${index} ${START}`];
}

/** Of the account with this name. */
export function rootOf(user: string): string {
  return `/home/${user}/towline`;
}

function exitOf({ nonce }: Attempt): string {
  return JSON.stringify({
    ...{ format: 1, n: nonce, started: true, code: 0, direct: false, runtimeCode: 0 },
    ...{ limit: null, copier: null, copierCode: null, out: 0, err: 0, at: seconds(), log: '' },
  });
}

const seconds = (): number => Math.floor(Date.now() / 1_000);
