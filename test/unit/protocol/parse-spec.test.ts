/**
 * Goal: a task as written becomes the task that is meant, or an error that names the field.
 * Method: parseSpec on values as JSON.parse gives them; fast-check for what nobody thought of.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/domain/failure.ts';
import { parseSpec } from '../../../src/protocol/parse-spec.ts';

const base = { image: 'docker://mini', command: ['true'] };
const parse = (fields: Record<string, unknown>) => parseSpec({ ...base, ...fields });

function refusal(value: unknown, where = ''): string {
  try {
    parseSpec(value, {}, where);
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).code).toBe('TASK_INVALID');
    return (error as AppError).message;
  }
  throw new Error('it was not refused');
}
const refused = (fields: Record<string, unknown>): string => refusal({ ...base, ...fields });

describe('what is meant', () => {
  it('fills the defaults', () => {
    expect(parse({})).toMatchObject({
      images: ['docker://mini'],
      command: { kind: 'argv', argv: ['true'] },
      cleanup: 'on-success',
      retries: 0,
      retryOn: [],
      acceptExit: [0],
      priority: 0,
      held: false,
      inputs: [],
    });
  });

  it('takes what the configuration says where the task is silent', () => {
    const defaults = {
      images: ['docker://b'],
      shell: '/bin/sh',
      cleanup: 'always',
      retries: 2,
      acceptExit: [0, 1],
    } as const;
    expect(parseSpec({ command: 'echo $X' }, defaults)).toMatchObject({
      images: ['docker://b'],
      command: { kind: 'text', text: 'echo $X', shell: '/bin/sh' },
      cleanup: 'always',
      retryOn: ['exit', 'interrupted'],
      acceptExit: [0, 1],
    });
  });

  it('has a command run at the end as the task says, else as the configuration does', () => {
    const command = 'true';
    expect(parseSpec({ ...base, command, onFinish: 'a; b' }, { onFinish: 'c' }).onFinish).toBe(
      'a; b',
    );
    expect(parseSpec({ ...base, command }, { onFinish: 'c' }).onFinish).toBe('c');
    expect(
      parseSpec({ ...base, command, onFinish: false }, { onFinish: 'c' }).onFinish,
    ).toBeUndefined();
    expect(refused({ onFinish: ' ' })).toContain('onFinish');
    expect(refused({ onFinish: 'a\0b' })).toContain('onFinish');
  });

  it('reads sizes and times with units', () => {
    expect(parse({ memory: '1.5GiB', time: '1h30m', outputLimit: 8192 })).toMatchObject({
      memoryBytes: 1_610_612_736,
      timeLimitMs: 5_400_000,
      outputLimitBytes: 8192,
    });
    expect(parse({ memory: '2G', time: '00:01:30' })).toMatchObject({
      memoryBytes: 2 ** 31,
      timeLimitMs: 90_000,
    });
  });

  it('reads inputs, outputs and binds as texts and as objects', () => {
    const spec = parse({
      inputs: [
        '/data/a.txt',
        '/data/b\\:c:in/b',
        { content: 'hi', target: 'c' },
        { remote: '/scratch/d' },
        '/data/dir/',
      ],
      outputs: [
        'out/*.txt:/home/u/results/',
        { path: '/mnt/task/work/r', local: '/tmp/r', overwrite: true },
      ],
      binds: ['/scratch:/scratch:ro'],
      stdin: { content: 'x' },
    });
    expect(spec.inputs).toEqual([
      { source: { kind: 'file', path: '/data/a.txt' }, target: 'a.txt' },
      { source: { kind: 'file', path: '/data/b:c' }, target: 'in/b' },
      { source: { kind: 'content', base64: 'aGk=' }, target: 'c' },
      { source: { kind: 'remote', path: '/scratch/d' }, target: 'd' },
      { source: { kind: 'directory', path: '/data/dir' }, target: 'dir' },
    ]);
    expect(spec.outputs).toEqual([
      { pattern: 'out/*.txt', local: '/home/u/results/', overwrite: false },
      { pattern: 'r', local: '/tmp/r', overwrite: true },
    ]);
    expect(spec.binds).toEqual([{ source: '/scratch', target: '/scratch', readonly: true }]);
  });

  it('reads volumes, outputs in them, and what runs after the command', () => {
    const spec = parse({
      env: { A: 'b' },
      volumes: ['/data/'],
      workdir: '/data/w',
      outputs: ['/data/out.txt:/tmp/out.txt', 'plain:/tmp/plain'],
      then: [
        { command: 'echo $A | cat', goOn: true },
        { image: 'other', command: ['x'], env: {} },
      ],
    });
    expect(spec).toMatchObject({
      volumes: ['/data'],
      workdir: '/data/w',
      outputs: [{ pattern: '/data/out.txt' }, { pattern: 'plain' }],
      then: [
        {
          image: 'docker://mini',
          argv: ['/bin/sh', '-c', 'echo $A | cat'],
          env: { A: 'b' },
          goOn: true,
        },
        { image: 'other', argv: ['x'], env: {} },
      ],
    });
    expect(refused({ volumes: ['/mnt/task/work'] })).toContain('volumes[0]');
    expect(refused({ workdir: 'w' })).toContain('workdir');
    expect(refused({ outputs: ['/data/out.txt:/tmp/x'] })).toContain('outputs[0].path');
  });

  it('reads what is asked of Slurm; nothing asked is nothing said', () => {
    const slurm = { partition: 'short', nodes: 2, ntasksPerNode: 4, args: ['--exclusive'] };
    expect(parse({ slurm }).slurm).toEqual(slurm);
    expect(parse({ slurm: { short: true, fpga: false } }).slurm).toEqual({ short: true });
    for (const none of [undefined, {}, { short: false, args: [] }])
      expect(parse({ slurm: none }).slurm).toBeUndefined();
  });

  it.each([
    [{ partition: 'x --wrap=id' }, 'slurm.partition is not the name of a partition'],
    [{ account: 'a;b' }, 'slurm.account is not the name of an account'],
    [{ args: ['--nice', '--wrap=id'] }, 'slurm.args[1] --wrap is not for you to set'],
    [{ nodes: 0 }, 'slurm.nodes'],
    [{ partitions: 'x' }, 'slurm has an unknown field partitions'],
  ])('refuses of Slurm %j', (slurm, told) => {
    expect(refused({ slurm })).toContain(told);
  });

  it('keeps hostile values byte-exact', () => {
    const values = ['$(rm -rf /)', '`x`', 'a\nb\tc', '\'"', '', 'é😀', '-n', '%s:,'];
    const spec = parse({ command: ['printf', ...values], env: { X: values.join('') } });
    expect(spec.command).toEqual({ kind: 'argv', argv: ['printf', ...values] });
    expect(spec.env['X']).toBe(values.join(''));
  });
});

describe('what is refused, and how it is said', () => {
  it.each([
    [{ imge: 'x' }, 'the value has an unknown field imge (did you mean image?)'],
    [{ command: [] }, 'command is not valid: Too small'],
    [{ command: ['a', 3] }, 'command[1] must be a text'],
    [{ command: undefined }, 'command is missing'],
    [{ command: 3 }, 'command must be a text or a list'],
    [{ inputs: [3] }, 'inputs[0] must be a text or an object'],
    [{ env: { '1X': 'a' } }, 'env.1X is not the name of a variable'],
    [{ env: { APPTAINER_BIND: 'a' } }, 'env.APPTAINER_BIND is reserved for the runtime'],
    [{ env: { HOME: '/x' } }, 'env.HOME cannot be set'],
    [{ env: { X: 'a\0b' } }, 'env.X contains a NUL'],
    [{ inputs: ['data/a'] }, 'inputs[0] must be an absolute path'],
    [{ inputs: ['/a/../b'] }, 'inputs[0] must be an absolute path'],
    [{ inputs: ['/a:../b'] }, 'inputs[0].target must name a path'],
    [{ inputs: ['/a:/proc'] }, 'inputs[0].target /proc is taken'],
    [{ inputs: ['/x/a', '/y/a'] }, 'inputs[1].target is the same as that of inputs[0]'],
    [{ inputs: [{ path: '/a', pth: 1 }] }, 'inputs[0] has an unknown field pth'],
    [{ inputs: [{ path: '/a', content: 'b' }] }, 'inputs[0] must have exactly one of'],
    [{ outputs: ['a:b'] }, 'outputs[0].local must be an absolute path'],
    [{ outputs: ['../a:/b'] }, 'outputs[0].path must be a path below'],
    [{ outputs: ['/etc/passwd:/b'] }, 'outputs[0].path must be a path below'],
    [{ binds: ['/a:/b:rx'] }, 'binds[0] must be SRC:DST'],
    [{ memory: 'lots' }, 'memory: "lots" is not a size'],
    [{ memory: 512 }, 'memory of 512 bytes is too small'],
    [{ time: '10' }, 'time: "10" is not a duration; write for example 10s'],
    [{ name: 'a\u001b[31m' }, 'name contains control characters'],
    [{ retries: -1 }, 'retries is not valid'],
    [{ retries: Number.NaN }, 'retries must be a'],
    [{ acceptExit: [256] }, 'acceptExit[0] is not valid'],
    [{ cleanup: 'maybe' }, 'cleanup is not valid'],
    [{ tags: { 'a b': 'c' } }, 'tags."a b" may only have'],
    [{ shell: '/bin/sh' }, 'shell is only for a command given as one text'],
  ])('%j', (fields, message) => {
    expect(refused(fields)).toContain(message);
  });

  it('names the task among many', () => {
    expect(refusal({ ...base, time: 'x' }, 'tasks[3]')).toContain(
      'tasks[3].time: "x" is not a duration',
    );
    expect(refusal('no object', 'tasks[3]')).toContain('tasks[3] must be a');
  });

  it('does not let __proto__ through as a name', () => {
    const task = JSON.parse('{"image":"a","command":["b"],"env":{"__proto__":"x"}}') as unknown;
    expect(refusal(task)).toContain('env.__proto__ is not the name');
    expect(refusal(JSON.parse('{"image":"a","command":["b"],"__proto__":{"x":1}}'))).toContain(
      '__proto__',
    );
  });

  it('says that an image is needed when there is no default', () => {
    expect(refusal({ command: ['a'] })).toBe('image is missing and [defaults] image is not set');
  });
});

it('throws nothing but AppErrors, whatever it is given', () => {
  const keys = [
    'image',
    'command',
    'env',
    'inputs',
    'outputs',
    'binds',
    'memory',
    'time',
    'tags',
    'stdin',
    'x',
  ];
  const task = fc.dictionary(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 3 }));
  const nearly = task.map((fields) => ({ ...base, ...fields }));
  fc.assert(
    fc.property(fc.oneof(fc.anything(), nearly), (value) => {
      try {
        parseSpec(value);
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
      }
    }),
    { numRuns: 2000 },
  );
});
