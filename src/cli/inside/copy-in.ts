/**
 * `towline cp LOCAL ID:PATH`: one file into a task. It is written by a command inside the container, so
 * that no link a task has made leads out of it; to a temporary name, compared, then named.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { ExecStream } from '../../client/exec.ts';
import { AppError } from '../../domain/failure.ts';
import type { Call } from '../call.ts';
import { escapeControls } from '../output/text.ts';
import type { Copied } from './copy-out.ts';

export interface CopyIn {
  local: string;
  id: string;
  path: string;
  overwrite: boolean;
}

const EXIT_EXISTS = 73;
const EXIT_CHANGED = 74;
/** Arguments: target, name, size, sha256, overwrite, executable. Says the path it wrote. */
const WRITE = `t=$1
case $t in */) mkdir -p "$t" || exit 1 ;; esac
[ ! -d "$t" ] || t=\${t%/}/$2
if [ "$5" != 1 ] && { [ -e "$t" ] || [ -L "$t" ]; }; then exit ${EXIT_EXISTS}; fi
p=$(dirname "$t")/.towline-$$.part
cat >"$p" || { rm -f "$p"; exit 1; }
sum=$4
command -v sha256sum >/dev/null 2>&1 && { sum=$(sha256sum <"$p"); sum=\${sum%% *}; }
if [ "$(wc -c <"$p")" -ne "$3" ] || [ "$sum" != "$4" ]; then rm -f "$p"; exit ${EXIT_CHANGED}; fi
if [ "$6" = 1 ]; then chmod +x "$p"; fi
mv -f "$p" "$t" || { rm -f "$p"; exit 1; }
printf '%s\\n' "$t"`;

/** Copies and gives what was copied. @throws COPY_EXISTS COPY_CHANGED STAGE_INPUT_* and as exec */
export async function copyIn(call: Call, wish: CopyIn): Promise<Copied> {
  const path = resolve(call.io.cwd, wish.local);
  const file = await lookAt(path);
  const client = await call.client();
  const words = [wish.path, basename(path), String(file.bytes), file.sha256];
  const flags = [wish.overwrite, file.executable].map((flag) => (flag ? '1' : '0'));
  const exec = await client.exec(wish.id, {
    command: ['/bin/sh', '-c', WRITE, 'sh', ...words, ...flags],
  });
  const sending = send(exec, path);
  sending.catch(() => {});
  try {
    const { code, out, err } = await outcome(exec);
    if (code === 0) return { from: path, to: out.trim(), bytes: file.bytes, sha256: file.sha256 };
    throw failure({ code, err, path: wish.path, task: wish.id });
  } finally {
    exec.close();
  }
}

async function lookAt(path: string) {
  const info = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    const code = cause.code === 'ENOENT' ? 'STAGE_INPUT_MISSING' : 'STAGE_INPUT_UNREADABLE';
    throw new AppError(code, `${path}: ${cause.message}`, { context: { path }, cause });
  });
  if (!info.isFile()) {
    const text = `${path} is no regular file; only single files can be copied into a task`;
    throw new AppError('USAGE', text, { context: { command: 'cp' } });
  }
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return { bytes: info.size, sha256: hash.digest('hex'), executable: (info.mode & 0o111) !== 0 };
}

async function send(exec: ExecStream, path: string): Promise<void> {
  for await (const chunk of createReadStream(path)) await exec.writeStdin(chunk as Buffer);
  exec.endStdin();
}

async function outcome(exec: ExecStream): Promise<{ code: number; out: string; err: string }> {
  const words = { stdout: '', stderr: '' };
  for await (const event of exec.events()) {
    if (event.kind === 'exit') return { code: event.code, out: words.stdout, err: words.stderr };
    if (event.kind !== 'note') words[event.kind] += event.bytes.toString();
  }
  throw new AppError('INTERNAL', 'the copy ended without an exit code');
}

interface Failed {
  code: number;
  err: string;
  path: string;
  task: string;
}

function failure({ code, err, path, task }: Failed): AppError {
  const context = { task, path };
  if (code === EXIT_EXISTS)
    return new AppError('COPY_EXISTS', `${path} of task ${task} is there already`, { context });
  if (code === EXIT_CHANGED)
    return new AppError('COPY_CHANGED', `${path}: the bytes that arrived are not those sent`, {
      context,
    });
  const said = err.trim() === '' ? `exit code ${code}` : escapeControls(err.trim());
  return new AppError('COPY_FAILED', `copying to ${path} of task ${task}: ${said}`, {
    context,
  });
}
