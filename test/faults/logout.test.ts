/**
 * Goal: where logind ends what a login started, tasks run in a scope of the user's own manager, which it
 * spares; where that cannot be, doctor and the failure of the task say so.
 * Method: fakes, since the machines here have no systemd: a logind.conf, a systemd-run that marks what it
 * starts, and a logout that ends all processes of alice but those and what comes from them, as logind does.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { submitPatient } from '../support/faults/patient-task.ts';
import { type SpareHost, startSpareHost } from '../support/faults/spare-host.ts';
import { until } from '../support/until.ts';

const FAKE_SYSTEMD = `mkdir -p /run/systemd/system /etc/systemd/logind.conf.d /var/lib/systemd/linger
printf '[Login]\\nKillUserProcesses=yes\\n' >/etc/systemd/logind.conf.d/site.conf
cat >/usr/local/bin/systemd-run <<'END'
#!/bin/sh
# this much is asked of it: a scope of the user's manager, which is there only while the user lingers
[ -e /var/lib/systemd/linger/alice ] || { echo 'Failed to connect to bus' >&2; exit 1; }
[ "$1 $2 $3 $4" = '--user --scope --quiet --collect' ] || exit 1
[ "$XDG_RUNTIME_DIR" = /run/user/1000 ] || exit 1
shift 4
FAKE_SCOPE=1 exec "$@"
END
chmod 755 /usr/local/bin/systemd-run`;

const LOGOUT = `in_scope() {
  pid=$1
  while [ "\${pid:-0}" -gt 1 ]; do
    grep -qzs '^FAKE_SCOPE=1$' "/proc/$pid/environ" && return 0
    pid=$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -d' ' -f2)
  done
  return 1
}
for process in /proc/[0-9]*; do
  [ "$(stat -c %u "$process" 2>/dev/null)" = 1000 ] || continue
  in_scope "\${process#/proc/}" || kill -9 "\${process#/proc/}" 2>/dev/null
done; true`;

let spare: SpareHost;

beforeAll(async () => {
  spare = await startSpareHost();
  await spare.sh(FAKE_SYSTEMD);
});

afterAll(() => spare[Symbol.asyncDispose]());

function daemonOnSpare(): TestDaemon {
  return makeDaemon({ hosts: { far: { on: spare.name, keys: spare.keys } } });
}

async function logoutFinding(daemon: TestDaemon): Promise<string> {
  const { stdout } = await daemon.cli('host', 'doctor', 'far');
  return stdout.split('\n').find((line) => line.includes('KillUserProcesses')) ?? stdout;
}

test('host life: without linger a logout ends a task, and both its failure and doctor say why', async () => {
  await using daemon = daemonOnSpare();
  await daemon.start();
  const task = await submitPatient(daemon, spare);
  await task.began();
  await spare.sh(LOGOUT);
  expect(await task.end()).toBe('interrupted');
  const { failure } = await daemon.show(task.id);
  expect(failure?.message).toContain('KillUserProcesses=yes');
  expect(failure?.message).toContain('towline host doctor far');
  expect(await logoutFinding(daemon)).toContain('KillUserProcesses=yes');
  expect((await daemon.cli('host', 'doctor', 'far')).stdout).toContain('loginctl enable-linger');
  task.ledger.remove();
});

test('host life: with linger a task is in a scope of its own user and outlives the logout', async () => {
  await spare.sh('touch /var/lib/systemd/linger/alice');
  await using daemon = daemonOnSpare();
  await daemon.start();
  const task = await submitPatient(daemon, spare);
  await task.began();
  await spare.sh(LOGOUT);
  await until(async () => daemon.log().split('"msg":"link is ready"').length > 2);
  await task.letEnd();
  expect(await task.end()).toBe('failed');
  expect(await daemon.show(task.id)).toMatchObject({ attempt: 1, exitCode: 4 });
  expect((await daemon.cli('logs', task.id)).stdout).toBe('began\nended\n');
  expect(await logoutFinding(daemon)).toContain("scopes of the user's own manager");
  task.ledger.remove();
});
