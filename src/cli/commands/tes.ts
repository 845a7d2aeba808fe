/** towline tes token: who may speak to the TES listener. Works on the file itself; no daemon is needed. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { AppError } from '../../domain/failure.ts';
import {
  formatTokens,
  isTokenName,
  parseTokens,
  type StoredToken,
  TOKEN_FILE,
} from '../../protocol/tes/token-file.ts';
import { type Call, type Cli, onAction } from '../call.ts';
import { printJson } from '../output/json.ts';
import { table } from '../output/text.ts';

const TOKEN_BYTES = 32;

export function addTes(program: Command, cli: Cli): void {
  const tes = program
    .command('tes')
    .helpCommand(false)
    .summary('tokens for clients of the TES API')
    .description('Manage the tokens with which clients of GA4GH TES are let in over TCP.');
  const token = tes
    .command('token')
    .helpCommand(false)
    .summary('add, list and remove tokens')
    .description('Add, list and remove tokens.');
  const add = token
    .command('add')
    .summary('make a token')
    .description('Make a token and print it: it is shown only now, and only its hash is kept.')
    .argument('<name>', 'what it is called; the user name for Basic');
  onAction(add, cli, addToken);
  const list = token.command('list').summary('list tokens').description('List the tokens.');
  onAction(list, cli, listTokens);
  const remove = token
    .command('remove')
    .summary('remove a token')
    .description('Remove a token; requests with it are refused from now on.')
    .argument('<name>', 'what it is called');
  onAction(remove, cli, removeToken);
}

async function addToken(call: Call): Promise<void> {
  const name = call.args[0] ?? '';
  if (!isTokenName(name)) throw usage(`${JSON.stringify(name)} is no name for a token`);
  const file = await tokenFile(call);
  const tokens = await read(file);
  if (tokens.some((one) => one.name === name)) throw usage(`there is a token ${name} already`);
  const secret = randomBytes(TOKEN_BYTES).toString('base64url');
  const sha256 = createHash('sha256').update(secret).digest('hex');
  await write(file, [...tokens, { name, sha256, createdAt: new Date().toISOString() }]);
  if (call.json) return printJson(call.io, { name, token: secret });
  return call.io.out.write(`${secret}\n`);
}

async function listTokens(call: Call): Promise<void> {
  const tokens = (await read(await tokenFile(call))).map(({ name, createdAt }) => ({
    name,
    createdAt,
  }));
  if (call.json) return printJson(call.io, { tokens });
  const rows = tokens.map(({ name, createdAt }) => [name, createdAt]);
  return call.io.out.write(rows.length === 0 ? '' : table(rows, Number.POSITIVE_INFINITY));
}

async function removeToken(call: Call): Promise<void> {
  const name = call.args[0] ?? '';
  const file = await tokenFile(call);
  const tokens = await read(file);
  const rest = tokens.filter((one) => one.name !== name);
  if (rest.length === tokens.length) throw usage(`there is no token ${name}`);
  await write(file, rest);
  if (call.json) return printJson(call.io, { name });
  return call.io.out.write(`removed ${name}\n`);
}

async function tokenFile(call: Call): Promise<string> {
  const { loadConfig } = await import('../../config/load.ts');
  const { config } = call.options;
  const { daemon } = loadConfig({
    env: call.io.env,
    home: call.io.home,
    ...(config !== undefined && { files: [resolve(call.io.cwd, config)] }),
  });
  return join(daemon.stateDir, TOKEN_FILE);
}

async function read(file: string): Promise<StoredToken[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return parseTokens(text, file);
}

/** Whole or not at all: the daemon may read it at any time. */
async function write(file: string, tokens: readonly StoredToken[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const part = `${file}.${process.pid}.part`;
  await writeFile(part, formatTokens(tokens), { mode: 0o600 });
  await rename(part, file);
}

function usage(why: string): AppError {
  return new AppError('USAGE', why, { context: { command: 'tes' } });
}
