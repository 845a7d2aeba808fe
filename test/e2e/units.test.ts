/**
 * Goal: the very unit files we ship start the daemon under a real systemd, where it reads keys and inputs
 * from a home, writes outputs into it, reloads, and leaves tasks running when it is restarted.
 * Method: a container whose PID 1 is systemd, in which the units are installed as their headers say; the
 * bed's vm is the host, and the container itself is the `local` one.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MINI, REPO } from '../support/bed.ts';
import { type Said, type SubmitMachine, startSubmitMachine } from '../support/submit-machine.ts';
import { until } from '../support/until.ts';

let machine: SubmitMachine;

beforeAll(async () => {
  machine = await startSubmitMachine();
});

afterAll(() => machine[Symbol.asyncDispose]());

const LOCAL_HOST = `cat >>~/.config/towline/towline.ini <<'END'
[host.here]
type = local
root = ~/here
insecure_registries = registry:5000
END`;

async function works(saying: Promise<Said>): Promise<string> {
  const { code, stdout, stderr } = await saying;
  if (code !== 0) throw new Error(`${stderr}\n${stdout}\n${await machine.journal()}`);
  return stdout;
}

/** Runs a task that copies an input from the home into an output in the home, and gives the output. */
function demo(host: string, name: string): Promise<string> {
  return works(
    machine.alice(`set -eu
      echo "from $HOME for ${name}" >~/in-${name}.txt
      towline run --host ${host} --input ~/in-${name}.txt:in.txt --output out.txt:"$HOME/results/${name}.txt" \\
        ${MINI} -- sh -c 'cat /mnt/task/inputs/in.txt >out.txt' >&2
      cat ~/results/${name}.txt`),
  );
}

/** Runs the dataflow demo and gives its result. */
function dataflow(host: string): Promise<string> {
  const file = readFileSync(join(REPO, 'examples/dataflow/dataflow.yaml'), 'utf8');
  return works(
    machine.alice(`set -eu
      cat >~/dataflow.yaml <<'END'
${file}END
      towline workflow run ~/dataflow.yaml --set first=${host} --set second=${host} >&2
      cat ~/results/f3.txt`),
  );
}

/** Starts a task that waits for a file in the work directory, restarts the unit below it, lets it end. */
async function outlives(host: string, restart: () => Promise<string>): Promise<void> {
  const command = `touch started; while ! [ -e go ]; do sleep 0.1; done; echo went on`;
  const id = (
    await works(
      machine.alice(`towline submit --host ${host} --cleanup never ${MINI} -- sh -c '${command}'`),
    )
  ).trim();
  const inside = (script: string): Promise<Said> =>
    machine.alice(`towline exec ${id} -- sh -c '${script}'`);
  await until(async () => (await inside('test -e started')).code === 0);
  await restart();
  await until(async () => (await inside('touch go')).code === 0);
  await works(machine.alice(`towline wait ${id}`));
  const page = JSON.parse(await works(machine.alice(`towline show --json ${id}`)));
  expect(page).toMatchObject({ state: 'succeeded', attempt: 1 });
  expect(await works(machine.alice(`towline logs --stdout ${id}`))).toBe('went on\n');
}

// First: systemd-analyze also reads the drop-ins that later tests install.
describe('the exposure as this systemd judges it', () => {
  it.each([
    ['towline@.service', ''],
    ['towline.service', '--user'],
  ])('is 2.0 at most: %s', async (unit, manager) => {
    await works(
      machine.alice(`set -e
        mkdir -p ~/judge/run && cd ~/judge && export XDG_RUNTIME_DIR="$PWD/run"
        cp -r /opt/towline/config/${unit} /opt/towline/config/towline.service.d .
        systemd-analyze security ${manager} --offline=true --threshold=20 --no-pager ./${unit}`),
    );
  });
});

describe('towline@.service', () => {
  it('starts, reads ~/.ssh and ~/.config, and writes an output into the home', async () => {
    await works(machine.root('systemctl enable --now towline@alice'));
    expect(await demo('vm', 'system')).toBe('from /home/alice for system\n');
    const owner = "stat -c '%U %a' ~/results/system.txt /run/towline/alice /var/lib/towline/alice";
    expect(await works(machine.alice(owner))).toBe('alice 644\nalice 700\nalice 700\n');
  });

  it('leaves a task on a host running when it is restarted', async () => {
    await outlives('vm', () => works(machine.root('systemctl restart towline@alice')));
  });

  it('with the drop-in runs tasks of a local host, and a reload is enough to know the host', async () => {
    await works(
      machine.root(`set -e
        cp -r /opt/towline/config/towline@.service.d /etc/systemd/system/
        systemctl daemon-reload
        systemctl restart towline@alice`),
    );
    await works(machine.alice(LOCAL_HOST));
    await works(machine.root('systemctl reload towline@alice'));
    await until(async () => (await works(machine.alice('towline host list'))).includes('here'));
    expect(await demo('here', 'local')).toBe('from /home/alice for local\n');
    expect(await dataflow('here')).toMatch(/^from B\n.+\nfrom C\n.+\n$/);
    await outlives('here', () => works(machine.root('systemctl restart towline@alice')));
  });
});

describe('a local host', () => {
  it('does with a task what a host over SSH does', async () => {
    const here = await whole('here');
    expect(here.stdout).toMatch(/^x {2}y \/mnt\/task\/work\n.+\nmine\ncode 4\nout\n$/);
    expect(here.stderr).toContain('cannot write\n');
    const there = await whole('vm');
    expect(here.stdout).toBe(there.stdout);
    const withoutIds = ({ stderr }: Said): string => stderr.replaceAll(/\b[a-z0-9]{12}\b/g, 'ID');
    expect(withoutIds(here)).toBe(withoutIds(there));
  });

  it('is what there is without any configuration', async () => {
    const ran = await works(
      machine.alice(`set -e
        sif=$(ls ~/here/images/*.sif | head -n 1)
        export HOME=~/bare TOWLINE_SOCKET=~/bare/s TOWLINE_CONFIG=
        mkdir -m 700 "$HOME" && cd
        towline daemon >log 2>&1 & daemon=$!
        until towline host list >/dev/null 2>&1; do kill -0 $daemon; done
        towline run "$sif" -- sh -c 'echo "$PWD"; exit 5' || echo "code $?"
        towline host list --json
        kill $daemon`),
    );
    expect(ran).toMatch(/^\/mnt\/task\/work\ncode 5\n/);
    expect(ran).toMatch(/"name": *"local"/);
  });
});

/** All that is seen of a task with an overlay, a bind, variables, both streams, an output and a code of its own. */
function whole(host: string): Promise<Said> {
  return machine.alice(`
    towline run --host ${host} --overlay-size=64MiB --bind /etc/debian_version:/data:ro --env "A=x  y" \
      --output 'tree/*:'"$HOME/results/${host}" ${MINI} -- sh -c '
      echo "$A $PWD"; cat /data; echo no 2>/dev/null >/data || echo "cannot write" >&2
      echo mine >/opt/mine && cat /opt/mine; [ ! -e "$HOME/results" ] && mkdir tree && echo out >tree/out; exit 4'
    echo "code $?"
    cat ~/results/${host}/out`);
}

describe('towline.service of a user', () => {
  it('runs the demo on both kinds of host, and its local tasks outlive a restart', async () => {
    await works(machine.root('systemctl disable --now towline@alice && systemctl start user@1000'));
    await works(
      machine.alice(`set -e
        cp /opt/towline/config/towline.service ~/.config/systemd/user/
        systemctl --user daemon-reload
        systemctl --user enable --now towline`),
    );
    expect(await demo('vm', 'user')).toBe('from /home/alice for user\n');
    expect(await demo('here', 'user-local')).toBe('from /home/alice for user-local\n');
    await outlives('here', () => works(machine.alice('systemctl --user restart towline')));
  });

  it('behind the walls of the drop-in for ssh hosts still runs the demo', async () => {
    await works(
      machine.alice(`set -e
        cp -r /opt/towline/config/towline.service.d ~/.config/systemd/user/
        systemctl --user daemon-reload
        systemctl --user restart towline`),
    );
    expect(await demo('vm', 'walled')).toBe('from /home/alice for walled\n');
    const status = await works(
      machine.alice('cat "/proc/$(systemctl --user show -P MainPID towline)/status"'),
    );
    expect(status).toMatch(/^CapBnd:\s+0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(status).toMatch(/^Seccomp:\s+2$/m);
  });
});
