/**
 * Goal: a workflow file is read as meant or refused with every problem at its place. Method: texts in,
 * tasks or problems out; nothing else is touched.
 */
import { describe, expect, it } from 'vitest';
import { graphMermaid, graphOf, graphText } from '../../../src/workflow/graph.ts';
import { readWorkflowText } from '../../../src/workflow/read.ts';

const DIRECTORY = '/home/alice/flow';

function read(text: string, set: Record<string, string> = {}) {
  const result = readWorkflowText(text, { set, directory: DIRECTORY });
  return 'problems' in result ? result : { ...result.expanded, manifest: result.manifest };
}

function tasks(text: string, set?: Record<string, string>) {
  const result = read(text, set);
  if ('problems' in result) throw new Error(JSON.stringify(result.problems, null, 1));
  return result.tasks;
}

function problems(text: string, set?: Record<string, string>): string[] {
  const result = read(text, set);
  if (!('problems' in result)) throw new Error('no problem was found');
  return result.problems.map(({ line, column, message }) => `${line}:${column}: ${message}`);
}

const FULL = `name: demo
defaults: { image: docker://mini, host: vm, env: { A: one } }
parameters:
  samples: [left, right]
  cpus: 2
  greeting: null
tasks:
  prepare:
    command: [sh, -c, 'echo "\${greeting}" > out.txt; echo $\${HOME}']
    inputs: [data/in.txt, 'remote:/scratch/big:big', { path: ../up.txt, target: up }]
    outputs: [out.txt, 'logs/*.log', 'a:results/']
    stdin: words.txt
  work:
    after: [prepare]
    scatter: { over: '\${samples}', as: sample }
    host: vm2
    cpus: \${cpus}
    command: [work, '\${sample}', 'x\${sample}-\${cpus}']
    env: { B: '\${cpus}' }
  merge:
    after: [work]
    command: merge
`;

describe('a file that is right', () => {
  it('gives tasks with defaults, parameters, parts and absolute local paths', () => {
    const made = tasks(FULL, { greeting: 'hi' });
    expect(made.map(({ name }) => name)).toEqual(['prepare', 'work.0', 'work.1', 'merge']);
    expect(made[0]).toEqual({
      name: 'prepare',
      image: 'docker://mini',
      host: 'vm',
      env: { A: 'one' },
      command: ['sh', '-c', 'echo "hi" > out.txt; echo ${HOME}'],
      inputs: [
        { path: '/home/alice/flow/data/in.txt', target: 'in.txt' },
        { remote: '/scratch/big', target: 'big' },
        { path: '/home/alice/up.txt', target: 'up' },
      ],
      outputs: [
        { path: 'out.txt', local: '/home/alice/flow/out.txt', overwrite: false },
        { path: 'logs/*.log', local: '/home/alice/flow/logs/', overwrite: false },
        { path: 'a', local: '/home/alice/flow/results/', overwrite: false },
      ],
      stdin: '/home/alice/flow/words.txt',
    });
    expect(made[2]).toEqual({
      name: 'work.1',
      image: 'docker://mini',
      host: 'vm2',
      env: { B: '2' },
      cpus: 2,
      command: ['work', 'right', 'xright-2'],
      after: ['prepare'],
    });
    expect(made[3]?.after).toEqual(['work.0', 'work.1']);
  });

  it('takes lists and texts with commas from --set', () => {
    const made = tasks(FULL, { greeting: 'hi', samples: 'a, b,c', cpus: '0.5' });
    expect(made).toHaveLength(5);
    expect(made[2]).toMatchObject({ name: 'work.1', command: ['work', 'b', 'xb-0.5'], cpus: 0.5 });
    const text =
      "name: x\nparameters: { s: null }\ntasks: { a: { image: i, command: '${i}', scatter: { over: '${s}', as: i } } }";
    expect(tasks(text, { s: 'p,q' }).map(({ command }) => command)).toEqual(['p', 'q']);
  });

  it('may be JSON, indented with tabs too', () => {
    const file = { name: 'x', tasks: { a: { image: 'i', command: ['true'] } } };
    for (const indent of [undefined, 2, '\t']) {
      expect(tasks(JSON.stringify(file, null, indent))).toHaveLength(1);
    }
  });

  it('a parameter that is a list stands for a whole list', () => {
    const text =
      "name: x\nparameters: { f: [a, b] }\ntasks: { t: { image: i, command: [x], inputs: '${f}' } }";
    expect(tasks(text)[0]?.inputs).toHaveLength(2);
  });
});

describe('a file that is wrong', () => {
  const T = 'image: i, command: [x]';

  it('is refused with all problems at once, each at its place', () => {
    const text = `name: demo
default: {}
parameters: { good: 1 }
tasks:
  one:
    imagee: docker://mini
    command: [x]
  two:
    command: [x]
    scatter: { ovre: [1], as: i }
`;
    expect(problems(text)).toEqual([
      '2:1: default is not known here; did you mean "defaults"?',
      '6:5: task one: imagee is not known here; did you mean "image"?',
      '10:14: task two: scatter.over is missing',
      '10:16: task two: scatter.ovre is not known here; did you mean "over"?',
    ]);
  });

  it.each([
    [
      'an unknown task',
      `name: x\ntasks:\n  a: { ${T}, after: [b, alnig] }\n  align: { ${T} }`,
      [
        '3:40: task a: after: no task "b" in this file',
        '3:43: task a: after: no task "alnig" in this file; did you mean "align"?',
      ],
    ],
    [
      'a circle',
      `name: x\ntasks:\n  a: { ${T}, after: [b] }\n  b: { ${T}, after: [a] }\n  c: { ${T}, after: [b] }`,
      [
        '3:39: a waits for b waits for a: none of them could ever start; take one of these links away',
      ],
    ],
    [
      'a reference to no task of the file',
      `name: x\ntasks:\n  maker: { ${T} }\n  a: { ${T}, inputs: ['workflow:///makr/out'] }`,
      ['4:41: task a: inputs[0]: no task "makr" in this file; did you mean "maker"?'],
    ],
    [
      'a circle of references',
      `name: x\ntasks:\n  a: { ${T}, stdin: 'workflow:///b/x' }\n  b: { ${T}, env: { X: 'workflow:///a/x' } }`,
      [
        '3:6: a waits for b waits for a: none of them could ever start; take one of these links away',
      ],
    ],
    [
      'an unknown ${name}',
      "name: x\nparameters: { sample: 1 }\ntasks:\n  a: { image: i, command: [x, '${sampel}', '${HOME:-x}'] }",
      [
        '4:31: task a: command[1]: ${sampel}: nothing is named sampel; did you mean "sample"?; for a literal ${ write $${',
        '4:44: task a: command[2]: ${HOME:-x} is not ${NAME}; for a literal ${ write $${',
      ],
    ],
    [
      'a name that is none',
      `name: x\ntasks:\n  a.b: { ${T} }`,
      ['3:3: "a.b" is no name; use letters, digits, - and _, a letter first'],
    ],
    [
      'a name of its own',
      `name: x\ntasks:\n  a: { ${T}, name: y }`,
      ['3:32: task a: name is not known here'],
    ],
    [
      'fields that do not fit',
      `name: x\ndefaults: { memory: 1 lot }\ntasks:\n  a:\n    image: i\n    command: []\n    env: { A: 1 }\n  b: { ${T} }`,
      [
        '2:21: defaults: memory: "1 lot" is not a size; write for example 512 MiB, 1.5G or 4096',
        '6:14: task a: command is not valid: Too small: expected array to have >=1 items',
        '7:15: task a: env.A must be a text',
      ],
    ],
    [
      'a scatter over nothing',
      `name: x\nparameters: { s: [] }\ntasks:\n  a: { ${T}, scatter: { over: '\${s}', as: i } }`,
      ['4:49: task a: scatter.over is empty: there would be no task a'],
    ],
    [
      'a list within a text',
      `name: x\nparameters: { s: [p] }\ntasks:\n  a: { image: i, command: 'x\${s}' }`,
      [
        '4:27: task a: command: ${s}: s is a list; it can be scattered over, or stand for a whole list',
      ],
    ],
    ['no tasks', 'name: x\ntasks: {}', ['2:1: tasks is empty; write NAME: {…}']],
    ['nothing', '', ['1:1: name is missing', '1:1: tasks is missing']],
    [
      'no YAML',
      'name: x\ntasks: [',
      ['2:9: Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ],
    ['a key twice', 'name: x\nname: y\ntasks: {}', ['2:1: Map keys must be unique']],
  ])('%s', (_, text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  it('a parameter that is missing or unknown is told with --set', () => {
    expect(problems(FULL, { sample: 'x' })).toEqual([
      '3:1: --set sample: the file has no such parameter; did you mean "samples"?',
      '6:3: parameter greeting has no value; give it with --set greeting=VALUE',
    ]);
  });

  it('all kinds of problems are told at once, and none that only follows from another', () => {
    const text = `name: 7
extra: 1
defaults: { image: docker://a, cpus: many }
parameters: { given: null, odd: { a: b }, list: [] }
tasks:
  a: { command: [x, '\${given}'], time: 3 lots, after: [none] }
  b: { command: x, inputs: ['ok.txt', '/a:../up', 'fine.txt', 'b:/c'], tags: { 'a b': c, d: e }, memory: 1 byte }
  c: { command: x, scatter: { over: [1], like: item }, env: { A: '\${item}' } }
  d: 5
  e: { command: ['\${odd}', '\${nothing}'], after: [c, d], outputs: [a, ../x] }
  f: { command: '\${i}', scatter: { over: '\${list}', as: i }, stdn: x }
  g: { command: 'workflow:///d/x' }
`;
    expect(problems(text)).toMatchInlineSnapshot(`
      [
        "1:1: name must be a text",
        "2:1: extra is not known here",
        "3:38: defaults: cpus must be a number",
        "4:15: parameter given has no value; give it with --set given=VALUE",
        "4:28: parameters.odd must be a text or a number or a boolean",
        "6:40: task a: time: "3 lots" is not a duration; write for example 10s, 5m, 1h30m or 7d",
        "6:56: task a: after: no task "none" in this file",
        "7:39: task b: inputs[1].target must name a path, without . and ..",
        "7:78: task b: tags."a b" may only have letters, digits, dot, dash, underscore",
        "7:106: task b: memory: "1 byte" is not a size; write for example 512 MiB, 1.5G or 4096",
        "8:29: task c: scatter.as is missing",
        "8:42: task c: scatter.like is not known here",
        "9:3: task d must be an object",
        "10:28: task e: command[1]: \${nothing}: nothing is named nothing; for a literal \${ write $\${",
        "10:71: task e: outputs[1].path must be a path below /mnt/task/work, without ..",
        "11:42: task f: scatter.over is empty: there would be no task f",
        "11:62: task f: stdn is not known here; did you mean "stdin"?",
      ]
    `);
  });

  it('a problem of a scatter is told once, an alias bomb not unfolded', () => {
    const text = `name: x\ntasks:\n  a: { image: i, command: [x], cpus: -1, scatter: { over: [1, 2, 3], as: i } }`;
    expect(problems(text)).toHaveLength(1);
    const line = (name: string, of: string): string =>
      `${name}: &${name} [${Array(20).fill(`*${of}`).join()}]`;
    const bomb = `name: x\na: &a [x]\n${line('b', 'a')}\n${line('c', 'b')}\n${line('d', 'c')}\ntasks: {}`;
    expect(problems(bomb).join()).toContain('alias');
  });
});

describe('the graph', () => {
  function nodes() {
    const result = read(FULL, { greeting: 'x' });
    if (!('manifest' in result)) throw new Error('problems');
    return graphOf(result.manifest, result);
  }

  it('is text by levels within the width', () => {
    expect(graphText(nodes(), 80)).toBe('prepare\n  work ×2 <- prepare\n    merge <- work\n');
    const wide = graphText(
      [{ name: 'end', level: 1, after: Array.from({ length: 40 }, (_, i) => `task-${i}`) }],
      80,
    );
    expect(Math.max(...wide.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(80);
    expect(wide.match(/task-\d+/g)).toHaveLength(40);
  });

  it('is Mermaid, safe from its words', () => {
    expect(graphMermaid(nodes())).toBe(
      'graph TD\n  t0["prepare"]\n  t1["work ×2"]\n  t2["merge"]\n  t0 --> t1\n  t1 --> t2\n',
    );
  });
});
