/** towline host setup: makes a host ready, and with consent installs the runtime there. */
import type { Command } from 'commander';
import type { Client } from '../../client/client.ts';
import { errorFromView } from '../../client/errors.ts';
import { AppError, isAppError } from '../../domain/failure.ts';
import { type Call, type Cli, onAction, usage } from '../call.ts';
import { printJson } from '../output/json.ts';
import { oneLine } from '../output/text.ts';

interface SetupOptions {
  pull?: boolean;
  install?: boolean;
  yes?: boolean;
  cacheDir?: string;
  tmpDir?: string;
}

const DESCRIPTION = `Connect to a host, make its root, check its tools and runtime, run a tiny image there, and show what it has.
Where no container runs, say what an administrator should do. With --install do that: say what would be
done, ask, and run scripts/setup-apptainer.sh on the host, as root or by sudo without a password.

Examples: towline host setup vm --pull, towline host setup vm --install, towline host setup vm --install --yes --cache-dir /scratch/%u/apptainer`;

export function addHostSetup(host: Command, cli: Cli): void {
  const setup = host
    .command('setup')
    .summary('make a host ready now')
    .description(DESCRIPTION)
    .argument('<name>', 'name of a host')
    .option('--pull', 'pull the image of [defaults], too')
    .option('--install', 'install the container runtime where it is missing')
    .option('--yes', 'with --install: do not ask')
    .option('--cache-dir <dir>', "with --install: APPTAINER_CACHEDIR in the user's ~/.profile")
    .option('--tmp-dir <dir>', "with --install: APPTAINER_TMPDIR in the user's ~/.profile");
  onAction<SetupOptions>(setup, cli, setUp);
}

async function setUp(call: Call<SetupOptions>): Promise<void> {
  const { install, yes, cacheDir, tmpDir, pull } = call.options;
  if (install !== true && (yes ?? cacheDir ?? tmpDir) !== undefined)
    usage('host setup', '--yes, --cache-dir and --tmp-dir go with --install');
  const client = await call.client();
  const name = call.args[0] ?? '';
  const said = install === true ? await installThere(call, client, name) : [];
  if (said === undefined) return;
  const { host: found, image } = await readyOrPlan(call, client, name);
  const pulled =
    pull === true && image !== undefined ? await client.pullImage(name, image) : undefined;
  if (call.json) {
    return printJson(call.io, { host: found, image, pulled, ...(install && { said }) });
  }
  const { hostPage } = await import('../output/host-text.ts');
  await call.io.out.write(hostPage(found, Date.now()));
  if (pulled !== undefined) return call.io.out.write(`image       ${oneLine(pulled.path)}\n`);
  if (image === undefined) return;
  await call.io.out.write(
    `image       ${image}: pull it with: towline host setup ${name} --pull\n`,
  );
}

/** Says what would be done, asks, does it; undefined when nobody wants it. */
async function installThere(
  call: Call<SetupOptions>,
  client: Client,
  name: string,
): Promise<string[] | undefined> {
  const { yes, cacheDir, tmpDir } = call.options;
  const where = {
    ...(cacheDir !== undefined && { cacheDir }),
    ...(tmpDir !== undefined && { tmpDir }),
  };
  if (yes !== true) {
    if (process.stdin.isTTY !== true || call.json)
      usage('host setup', 'nobody can be asked here; --yes does it without asking');
    await call.io.err.write(`on ${name} this would be done:\n`);
    await shown(call, client.setupApptainer(name, { act: 'print', ...where }));
    if (!(await agreed(call))) return undefined;
  }
  return shown(call, client.setupApptainer(name, { act: 'install', ...where }));
}

async function agreed(call: Call): Promise<boolean> {
  const { openAsker } = await import('../ask.ts');
  const asker = openAsker(call, 'host setup');
  const answer = await asker.answer('Do this? [y/N] ', { echo: true });
  asker.close();
  return /^y(es)?$/i.test(answer.trim());
}

/** The host as it is; where no container runs there, what an administrator should run comes first. */
async function readyOrPlan(call: Call, client: Client, name: string) {
  try {
    const ready = await client.setupHost(name);
    await quietly(client.setupApptainer(name, { act: 'check' }));
    return ready;
  } catch (error) {
    const lacks = ['RUNTIME_NOT_FOUND', 'HOST_SETUP_FAILED'];
    if (!isAppError(error) || !lacks.includes(error.code)) throw error;
    const administrator = await quietly(client.setupApptainer(name, { act: 'print' }));
    if (call.json) await printJson(call.io, { host: name, administrator });
    else {
      const lines = administrator.map((line) => `  ${line}\n`).join('');
      await call.io.out.write(`an administrator of ${name} should run:\n${lines}`);
    }
    throw error;
  }
}

type News = ReturnType<Client['setupApptainer']>;

const quietly = (news: News): Promise<string[]> => linesOf(news, async () => {});

/** Shows the words of the host as they come: on stderr, stdout has only the result. */
function shown(call: Call, news: News): Promise<string[]> {
  return linesOf(news, (line) => (call.json ? Promise.resolve() : call.io.err.write(`${line}\n`)));
}

/** All lines, made harmless for a terminal. @throws what ended it */
async function linesOf(news: News, tell: (line: string) => Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  let rest = '';
  const take = async (line: string): Promise<void> => {
    lines.push(oneLine(line));
    await tell(oneLine(line));
  };
  for await (const one of news) {
    if (one.type === 'end') {
      if (rest !== '') await take(rest);
      if (one.failure !== undefined) throw errorFromView(one.failure);
      return lines;
    }
    const parts = (rest + one.text).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) await take(part);
  }
  throw new AppError('INTERNAL', 'the daemon did not say how the set-up ended');
}
