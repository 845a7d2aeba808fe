/** What the commands of an attempt printed, for convenience: all of little, both ends of much. */
import type { StreamName } from '../../domain/task.ts';
import type { Service, TaskReport } from '../../engine/service.ts';
import type { Printed } from './view.ts';

const END_BYTES = 10_240;

type Logs = Pick<Service, 'logs'>;

interface Part {
  service: Logs;
  id: string;
  stream: StreamName;
  from: number;
  to: number;
}

/** For each command; where one follows another its bytes begin about where those of the other end. */
export async function printedBy(service: Logs, report: TaskReport): Promise<Printed[]> {
  const { state, id } = report.task;
  const exit = 'exit' in state ? state.exit : undefined;
  const { stdout, stderr } = report.streams;
  const steps = exit?.steps ?? [{ stdoutBytes: stdout.bytes, stderrBytes: stderr.bytes }];
  return Promise.all(
    steps.map(async (end, index) => {
      const before = steps[index - 1] ?? { stdoutBytes: 0, stderrBytes: 0 };
      const isLast = index === steps.length - 1;
      const outTo = isLast ? stdout.bytes : end.stdoutBytes;
      const errTo = isLast ? stderr.bytes : end.stderrBytes;
      const of = { service, id };
      return {
        stdout: await bothEnds({ ...of, stream: 'stdout', from: before.stdoutBytes, to: outTo }),
        stderr: await bothEnds({ ...of, stream: 'stderr', from: before.stderrBytes, to: errTo }),
      };
    }),
  );
}

async function bothEnds(part: Part): Promise<string> {
  const bytes = part.to - part.from;
  if (bytes <= 0) return '';
  if (bytes <= 2 * END_BYTES) return read(part);
  const head = await read({ ...part, to: part.from + END_BYTES });
  const tail = await read({ ...part, from: part.to - END_BYTES });
  return `${head}\n[... ${bytes - 2 * END_BYTES} bytes left out ...]\n${tail}`;
}

/** Characters that are cut, or no text, are replaced. */
async function read({ service, id, stream, from, to }: Part): Promise<string> {
  const chunks: Uint8Array[] = [];
  let had = 0;
  const { signal } = new AbortController();
  for await (const chunk of await service.logs(id, stream, {
    offset: from,
    follow: false,
    signal,
  })) {
    chunks.push(chunk);
    had += chunk.length;
    if (had >= to - from) break;
  }
  return Buffer.concat(chunks)
    .subarray(0, to - from)
    .toString('utf8');
}
