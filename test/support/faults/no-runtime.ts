/**
 * A host without Apptainer, and the way back. Fakes, since the hosts of the bed have no package manager and
 * no sudo: `apt-get`, which puts back what was hidden and writes down its arguments, and `sudo`, which gives
 * root without asking (as NOPASSWD would) through a set-uid shell.
 */
import type { SpareHost } from './spare-host.ts';

const FAKE_APT_LOG = '/var/log/fake-apt-get.log';

const FAKE_APT = `#!/bin/sh
echo "$(id -un): $*" >>${FAKE_APT_LOG}
case $1 in install) cd /opt/hidden && cp -a . / && echo "Setting up apptainer (fake) ..." ;; esac`;

const FAKE_SUDO = `#!/bin/sh
[ "$1" = -n ] && shift
exec /opt/root-bash -p -c 'exec setpriv --reuid=0 --regid=0 --clear-groups -- "$@"' sudo "$@"`;

/** Hides what the package has put there, and brings the fake apt-get. */
export async function hideApptainer(host: SpareHost): Promise<void> {
  await host.sh(`mkdir -p /opt/hidden
    for file in /usr/bin/apptainer /usr/lib/x86_64-linux-gnu/apptainer/bin/starter; do
      mkdir -p "/opt/hidden\${file%/*}" && mv "$file" "/opt/hidden$file"
    done`);
  await writeProgram(host, '/usr/local/bin/apt-get', FAKE_APT);
}

/** From now on the user may be root without a password. */
export async function giveSudo(host: SpareHost): Promise<void> {
  await host.sh('cp /bin/bash /opt/root-bash && chmod 4755 /opt/root-bash');
  await writeProgram(host, '/usr/local/bin/sudo', FAKE_SUDO);
}

/** The calls of apt-get so far: `root: install -y …`. */
export async function aptCalls(host: SpareHost): Promise<string[]> {
  return (await host.sh(`cat ${FAKE_APT_LOG} 2>/dev/null || true`)).split('\n').filter(Boolean);
}

async function writeProgram(host: SpareHost, path: string, text: string): Promise<void> {
  await host.sh('printf "%s\\n" "$2" >"$1" && chmod 755 "$1"', path, text);
}
