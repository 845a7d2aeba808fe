/** docs/events.md: what the events of tasks say. */
import { EVENT_KINDS } from '../../src/domain/event-kinds.ts';

export function eventsMarkdown(): string {
  const rows = Object.entries(EVENT_KINDS).map(([kind, says]) => `| ${kind} | ${says} |`);
  return `# Events

<!-- Made by scripts/docs.ts from src/domain/event-kinds.ts. -->

\`towline events\` and \`GET /v1/events\` give the events of tasks in the order in which they were committed. Each has
a \`seq\` that only grows, \`at\`, \`task\`, \`attempt\`, its \`kind\`, the \`state\` of the task after it, and \`data\`. An event is told
after it is on disk. Events are kept for a time only, see [limits.md](limits.md); a gap is told as such.

## The end of an attempt

Every attempt has exactly one event with \`data.end\`, whatever kind it is of: the one that ended it. \`end.result\` is
\`succeeded\`, \`failed\`, \`error\`, \`cancelled\` or \`interrupted\`; \`end.code\`, \`end.limit\`, \`end.failure\` and \`end.usage\` are there
as far as known. \`end.again\` is true when another attempt follows by the policy of the task (\`retries\`). Without it the task
has ended: its \`state\` is the result, and only somebody who asks for another attempt (\`retry-asked\`) changes that. After
its end an attempt has no news but of its cleaning (\`blocked\`, \`unblocked\`, \`gc-asked\`, \`cleaned\`) and of the command that
is run at the end of a task (\`hook-ended\`, [finish.md](finish.md)).

## What an attempt used

\`usage\` has \`wallMs\`, \`cpuUserMs\` and \`cpuSystemMs\`: of the command and all that it waited for, as the kernel counts it, the
start of the container included. \`maxRssBytes\` is not there on a plain host. The kernel tells the peak of a process only
while it lives, or to a parent that asks as it ends, which no POSIX shell does; GNU time, which does, is not everywhere;
the peak of a control group (\`memory.peak\`) counts the file cache too, so that a task that reads a big file would seem to need as
much memory, and mostly is that of a whole login. To look every second would be a process of ours beside each task and would miss
what is short. \`TASK_OUT_OF_MEMORY\` is told all the same, and a command can tell its own peak
(\`/usr/bin/time -v\` in the image, \`grep VmHWM /proc/self/status\`).

## Kinds

| kind | what it says, and its data |
|---|---|
${rows.join('\n')}
`;
}
