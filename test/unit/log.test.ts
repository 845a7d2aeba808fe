/** The log tells no secret, in no field and no form, and each record is one line of JSON. */
import { beforeEach, expect, it } from 'vitest';
import { createLog } from '../../src/log.ts';
import { keepSecret, withoutSecrets } from '../../src/secrets.ts';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
const CANARY = 'c4n"ary\\ with space/+ü';

let lines: string[];
beforeEach(() => {
  lines = [];
});

const log = () => createLog('trace', { write: (line) => void lines.push(line) });

it.each(LEVELS)(
  'at level %s a canary is taken out of fields, errors, causes and messages',
  (level) => {
    keepSecret(CANARY);
    const forms = [
      CANARY,
      JSON.stringify({ inside: CANARY }),
      encodeURIComponent(CANARY),
      Buffer.from(CANARY).toString('base64'),
      Buffer.from(CANARY).toString('base64url'),
      Buffer.from(CANARY).toString('hex'),
    ];
    for (const form of forms) {
      const err = new Error(`ssh said ${form}`, { cause: new Error(`because ${form}`) });
      log()[level]({ err, deep: { list: [form] }, [`key ${form}`]: 1 }, `words ${form}`);
    }
    const written = lines.join('');
    expect(lines.length).toBe(forms.length);
    for (const form of forms) expect(written).not.toContain(form);
    expect(written).not.toContain(JSON.stringify(CANARY).slice(1, -1));
    expect(written).toContain('[redacted]');
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
  },
);

it('whatever stands in a field, a record is one line', () => {
  log().info({ host: 'a\nb\r{"level":60,"msg":"forged"}\u2028' }, 'two\nlines');
  expect(lines.length).toBe(1);
  expect(lines[0]?.trimEnd()).not.toMatch(/[\n\r]/);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 30, msg: 'two\nlines' });
});

it('secrets by field name never get there at all', () => {
  log().info(
    { passphrase: 'a', host: { privateKey: 'b', password: 'c' }, env: { TOKEN: 'd' } },
    'x',
  );
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    passphrase: '[redacted]',
    host: { privateKey: '[redacted]', password: '[redacted]' },
    env: '[redacted]',
  });
});

it('very short answers are left alone, and only so many are kept', () => {
  keepSecret('ok');
  expect(withoutSecrets('ok')).toBe('ok');
  keepSecret('the first secret');
  for (let n = 0; n < 300; n += 1) keepSecret(`code ${n}`);
  expect(withoutSecrets('the first secret, code 299')).toBe('the first secret, [redacted]');
});
