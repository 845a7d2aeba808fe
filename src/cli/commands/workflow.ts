/** towline workflow: check, draw, run and report files of tasks that wait for each other. */
import { type Command, Option } from 'commander';
import { type Call, type Cli, onAction } from '../call.ts';
import { EXIT_OK, EXIT_USAGE } from '../exit-codes.ts';
import { printJson } from '../output/json.ts';
import type { ReportOptions } from '../workflow/report/report-command.ts';

interface SetOptions {
  set?: string[];
}
interface GraphOptions extends SetOptions {
  format?: 'text' | 'mermaid' | 'svg';
}
interface RunOptions extends SetOptions {
  idempotencyKey?: string;
  fail?: 'slow' | 'fast';
  reuse: boolean;
  new?: boolean;
}

const WIDTH_PIPED = 80;
const many = (value: string, before: string[] = []): string[] => [...before, value];

export function addWorkflow(program: Command, cli: Cli): void {
  const workflow = program
    .command('workflow')
    .helpCommand(false)
    .summary('check, draw and run workflow files; report runs')
    .description(
      'Check, draw and run files of tasks that wait for each other, and report what became of a run.',
    );
  addCheck(workflow, cli);
  addGraph(workflow, cli);
  addRun(workflow, cli);
  addReport(workflow, cli);
}

function addFile(command: Command): Command {
  return command
    .argument('<file>', 'a workflow in YAML or JSON; - for stdin')
    .option('--set <name=value>', 'the value of a parameter; a list is written a,b,c', many);
}

function addCheck(workflow: Command, cli: Cli): void {
  const check = workflow
    .command('check')
    .summary('say what is wrong with a file')
    .description(
      'Name the problems of a workflow file as FILE:LINE:COLUMN and end with 2, or say what would run. No daemon is needed.',
    );
  onAction<SetOptions>(addFile(check), cli, async (call) => {
    const { readWorkflow, problemLines } = await import('../workflow/read-file.ts');
    const file = call.args[0] ?? '';
    const read = await readWorkflow(call, file);
    const problems = 'problems' in read ? read.problems : [];
    if (call.json) {
      const { checkJson } = await import('../workflow/check-text.ts');
      await printJson(call.io, checkJson(file, read));
    } else if ('problems' in read) await call.io.out.write(problemLines(file, read.problems));
    else {
      const { checkText } = await import('../workflow/check-text.ts');
      await call.io.out.write(checkText(file, read));
    }
    return problems.length > 0 ? EXIT_USAGE : EXIT_OK;
  });
}

function addGraph(workflow: Command, cli: Cli): void {
  const graph = workflow
    .command('graph')
    .summary('draw which task waits for which')
    .description('Draw which task of a workflow file waits for which. No daemon is needed.')
    .addOption(
      new Option('--format <format>', 'how; default: text').choices(['text', 'mermaid', 'svg']),
    );
  onAction<GraphOptions>(addFile(graph), cli, async (call) => {
    const { readWorkflowOrThrow } = await import('../workflow/read-file.ts');
    const { manifest, expanded } = await readWorkflowOrThrow(call, call.args[0] ?? '');
    const { graphMermaid, graphOf, graphText } = await import('../../workflow/graph.ts');
    const nodes = graphOf(manifest, expanded);
    if (call.json) return printJson(call.io, { name: manifest.name, nodes });
    if (call.options.format === 'svg') {
      const { graphFile } = await import('../../workflow/graph-svg.ts');
      return call.io.out.write(graphFile(manifest.name, nodes));
    }
    const width = call.io.out.isTTY ? call.io.out.columns : WIDTH_PIPED;
    const text = call.options.format === 'mermaid' ? graphMermaid(nodes) : graphText(nodes, width);
    return call.io.out.write(text);
  });
}

const RUN_DESCRIPTION = `Submit all tasks of a workflow file at once and follow them to their end.

On a terminal a table is kept up to date; elsewhere each change is a line; with --json each event is one, and
the last line is a summary. Ends with 0 when all succeeded and with 3 when one did not. Ctrl-C: what has not started is cancelled,
what runs goes on to its end; a second time: all is cancelled; a third time leaves at once. The daemon may go and come back.`;

function addRun(workflow: Command, cli: Cli): void {
  const run = workflow
    .command('run')
    .summary('run all tasks of a file')
    .description(RUN_DESCRIPTION)
    .option('--no-reuse', 'run also what an earlier task did already')
    .option(
      '--new',
      'submit it also when a run of this very file has not ended; default: follow that',
    )
    .option('--idempotency-key <text>', 'the same key submits only once: run again, it follows')
    .addOption(
      new Option(
        '--fail <how>',
        'when a task fails: slow (default) lets all go on that do not wait for it, fast cancels them',
      ).choices(['slow', 'fast']),
    );
  onAction<RunOptions>(addFile(run), cli, async (call: Call<RunOptions>) => {
    const { readWorkflowOrThrow } = await import('../workflow/read-file.ts');
    const read = await readWorkflowOrThrow(call, call.args[0] ?? '');
    const { runWorkflow } = await import('../workflow/run-workflow.ts');
    const { idempotencyKey, fail, reuse, new: anew = false } = call.options;
    const isFast = fail === 'fast';
    return runWorkflow(call, read, { idempotencyKey, isFast, reuse, anew });
  });
}

const REPORT_DESCRIPTION = `Tell how a run went: tasks with host, attempts, time and what they used, and each failure with its last lines.

With --html one page is written that needs nothing beside itself: a timeline, the table, the graph and the failures.`;

function addReport(workflow: Command, cli: Cli): void {
  const report = workflow
    .command('report')
    .argument('<run>', 'as workflow run told it: workflow-run=ID')
    .summary('tell how a run went')
    .description(REPORT_DESCRIPTION)
    .option('--html <file>', 'write a page to this file; - for stdout');
  onAction<ReportOptions>(report, cli, async (call) => {
    const { reportRun } = await import('../workflow/report/report-command.ts');
    return reportRun(call, call.args[0] ?? '');
  });
}
