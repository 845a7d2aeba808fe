/** Goal: a reference to a scattered task means all its parts, one to a part that part alone. Method: files as text. */
import { expect, test } from 'vitest';
import { readWorkflowText } from '../../../src/workflow/read.ts';

const FILE = `name: x
defaults: { image: 'docker://a:1' }
tasks:
  count: { scatter: { over: [a, b], as: part }, command: 'true' }
  sum:
    command: cat workflow:///count/n 'workflow:///count/a b' > all
    inputs: ['workflow:///count.0/n:first', 'workflow:///count/n:in']
  show: { command: [cat, 'workflow:///count/n', 'workflow:///sum/all'] }
`;

function expanded(text: string) {
  const read = readWorkflowText(text, { set: {}, directory: '/' });
  return 'expanded' in read ? read.expanded : read;
}

test('words of a command and inputs are as many as the parts; the edges follow', () => {
  const made = expanded(FILE);
  expect('tasks' in made && made.tasks.slice(2)).toMatchObject([
    {
      name: 'sum',
      after: ['count.0', 'count.1'],
      command: `cat workflow:///count.0/n workflow:///count.1/n 'workflow:///count.0/a b' 'workflow:///count.1/a b' > all`,
      inputs: [
        'workflow:///count.0/n:first',
        { path: 'workflow:///count.0/n', target: 'in/0/n' },
        { path: 'workflow:///count.1/n', target: 'in/1/n' },
      ],
    },
    {
      name: 'show',
      after: ['count.0', 'count.1', 'sum'],
      command: ['cat', 'workflow:///count.0/n', 'workflow:///count.1/n', 'workflow:///sum/all'],
    },
  ]);
});

test('where only one can stand, a part has to be named', () => {
  const wrong = expanded(`${FILE}  bad: { command: 'true', stdin: 'workflow:///count/n' }\n`);
  expect('problems' in wrong && wrong.problems).toMatchObject([
    { line: 9, message: expect.stringContaining('name one part: workflow:///count.0/n') },
  ]);
});
