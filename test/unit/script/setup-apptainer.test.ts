/**
 * Goal: scripts/setup-apptainer.sh says for each family of distributions what it would do, and leaves of its
 * settings nothing but what others wrote. Method: the script itself in a home of its own, by several shells;
 * fakes: programs called apt-get and dnf that are only there, a runtime that is only named.
 * A whole installation with a container at its end: test/e2e/host-setup.test.ts.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

const SCRIPT = join(import.meta.dirname, '../../../scripts/setup-apptainer.sh');
const SHELLS = [['dash'], ['bash', '--posix'], ['busybox', 'sh']];
const RUNTIME = ['--runtime', 'no-such-runtime'];

interface Place {
  home: string;
  run(
    args: string[],
    how?: { release?: string; shell?: string[] },
  ): {
    code: number | null;
    out: string;
    err: string;
  };
}

function place(...programs: string[]): Place {
  const home = mkdtempSync(join(tmpdir(), 'towline-setup-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const bin = join(home, 'bin');
  mkdirSync(bin);
  for (const name of programs) {
    writeFileSync(join(bin, name), '#!/bin/sh\nexit 0\n');
    chmodSync(join(bin, name), 0o755);
  }
  return {
    home,
    run(args, { release = '', shell = ['sh'] } = {}) {
      writeFileSync(join(home, 'os-release'), release);
      const [program = 'sh', ...options] = shell;
      const env = {
        ...{ HOME: home, USER: 'alice', PATH: `${bin}:/usr/bin:/bin` },
        SETUP_OS_RELEASE: join(home, 'os-release'),
      };
      const ran = spawnSync(program, [...options, SCRIPT, ...args], { env, encoding: 'utf8' });
      return { code: ran.status, out: ran.stdout, err: ran.stderr };
    },
  };
}

it.each([
  ['Debian', 'ID=debian', /^# as root:\napt-get update\nenv .* apt-get install -y .*apptainer/],
  ['Ubuntu', 'ID=ubuntu\nID_LIKE=debian', /apt-get install -y .*apptainer/],
  [
    'Rocky',
    'ID=rocky\nID_LIKE="rhel centos fedora"',
    /dnf install -y epel-release\ndnf install -y apptainer/,
  ],
  ['Fedora', 'ID=fedora', /^# as root:\ndnf install -y apptainer/],
  ['Arch', 'ID=arch', /^# an administrator should install Apptainer/],
])('%s: says what would be done, and does nothing', (_, release, plan) => {
  const { run } = place('apt-get', 'dnf');
  const { code, out } = run(['--print', ...RUNTIME], { release });
  expect(code).toBe(0);
  expect(out).toMatch(plan);
});

it('where there is neither apt nor dnf the reason says what an administrator should do', () => {
  const { code, err } = place().run(RUNTIME, { release: 'ID=arch' });
  expect(code).toBe(1);
  expect(err.trim().split('\n')).toHaveLength(1);
  expect(err).toMatch(
    /^setup-apptainer: there is neither apt nor dnf here: an administrator should/,
  );
});

it.each(SHELLS)(
  '%s: the settings can be changed and taken back; what others wrote stays',
  (...shell) => {
    const { home, run } = place('a-runtime');
    const profile = join(home, '.profile');
    writeFileSync(profile, 'umask 022\n', { mode: 0o640 });
    const given = (directory: string) =>
      run(['--runtime', 'a-runtime', '--cache-dir', directory], { shell });
    // The settings come before the check, which fails with a runtime that is none.
    expect(given(`${home}/one/%u`).err).toContain('the container said something else');
    expect(given(`${home}/two/%u`).code).toBe(1);
    const text = readFileSync(profile, 'utf8');
    expect(text).not.toContain('/one/');
    const read = execFileSync('sh', ['-c', '. "$1"; echo "$APPTAINER_CACHEDIR"', 'sh', profile], {
      encoding: 'utf8',
      env: { USER: 'alice', PATH: '/usr/bin:/bin' },
    });
    expect(read).toBe(`${home}/two/alice\n`);
    expect(run(['--unset'], { shell })).toMatchObject({
      code: 0,
      out: `removed from ${profile}\n`,
    });
    expect(readFileSync(profile, 'utf8')).toBe('umask 022\n');
    expect(run(['--unset'], { shell }).out).toContain('nothing is set');
  },
);

it.each(['relative', '/a b', '/a"; touch /tmp/x; "', '/$(id)', '/a%b'])(
  'a directory %j is refused',
  (directory) => {
    expect(place().run(['--print', '--cache-dir', directory])).toMatchObject({ code: 2, out: '' });
  },
);
