/** The container runtime and what it needs of the kernel; at last a container. */

import {
  asRoot,
  asTold,
  failure,
  here,
  inIni,
  inWords,
  type Judgement,
  ok,
  short,
  skipped,
  warning,
} from '../../domain/judgement.ts';
import type { DoctorFacts } from '../../script/doctor.ts';
import type { Case } from './case.ts';

/** The first that can start a container without set-uid root and keeps values byte-exact. */
const VERSION_MIN = [1, 1] as const;

export function judgeRuntime({ facts, policy }: Case): Judgement {
  if (facts === undefined) return undefined;
  if (facts.setupValid === false) {
    return failure(`setup = ${policy.setup} is not valid shell`, {
      code: 'HOST_COMMAND_FAILED',
      remedy: inIni('setup = A_LINE_OF_SHELL'),
    });
  }
  const { runtimePath, runtimeVersion, runtimeElsewhere, modules } = facts;
  if (runtimePath === undefined || runtimeVersion === undefined) {
    const remedy =
      runtimeElsewhere !== undefined
        ? inIni(`runtime = ${runtimeElsewhere}`)
        : modules === true
          ? inIni('setup = module load apptainer')
          : inWords(
              'install Apptainer 1.1 or newer on the host; no root is needed: its install-unprivileged.sh',
            );
    const cause =
      runtimeElsewhere === undefined
        ? undefined
        : `there is one at ${runtimeElsewhere}, which PATH does not lead to`;
    return failure(`${policy.runtime} is not there or does not run`, {
      code: 'RUNTIME_NOT_FOUND',
      cause,
      remedy,
    });
  }
  const detail = `${runtimeVersion} (${runtimePath})${facts.setuid === true ? ', set-uid root' : ''}`;
  if (oldOrOther(runtimeVersion)) {
    const cause = `made for Apptainer ${VERSION_MIN.join('.')} or newer: older ones and Singularity change values of variables and may need set-uid root`;
    return warning(detail, {
      cause,
      remedy: inWords('install a newer Apptainer, then set runtime = PATH'),
    });
  }
  return ok(detail);
}

function oldOrOther(version: string): boolean {
  const match = /^apptainer version (\d+)\.(\d+)/.exec(version);
  if (match === null) return true;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return major < VERSION_MIN[0] || (major === VERSION_MIN[0] && minor < VERSION_MIN[1]);
}

export function judgeUserNamespaces({ facts }: Case): Judgement {
  if (facts === undefined) return undefined;
  if (facts.setuid === true) return ok('not needed: the runtime is set-uid root');
  const { userns, subuid } = facts;
  const ranges = subuid === true ? '' : '; no line in /etc/subuid, which only --fakeroot needs';
  const switchedOff = offSwitch(facts);
  if (userns === true || (userns === undefined && switchedOff === undefined)) {
    return ok(`${userns === true ? 'can be made' : 'not tried (no unshare)'}${ranges}`);
  }
  const cause =
    switchedOff === undefined
      ? 'the kernel or a security module forbids them'
      : `${switchedOff.name} = ${switchedOff.is}`;
  const remedy =
    switchedOff === undefined
      ? inWords('ask for user namespaces, or for Apptainer installed set-uid root (apptainer-suid)')
      : asRoot(`sysctl -w ${switchedOff.name}=${switchedOff.wanted}`);
  return failure('cannot be made, and the runtime is not set-uid root', {
    code: 'RUNTIME_START_FAILED',
    cause,
    remedy,
  });
}

function offSwitch({ usernsClone, usernsMax, usernsApparmor }: DoctorFacts) {
  if (usernsClone === '0')
    return { name: 'kernel.unprivileged_userns_clone', is: '0', wanted: '1' };
  if (usernsMax === '0') return { name: 'user.max_user_namespaces', is: '0', wanted: '10000' };
  if (usernsApparmor !== undefined && usernsApparmor !== '0') {
    return {
      name: 'kernel.apparmor_restrict_unprivileged_userns',
      is: usernsApparmor,
      wanted: '0',
    };
  }
  return undefined;
}

export function judgeFuse({ facts }: Case): Judgement {
  if (facts === undefined) return undefined;
  if (facts.setuid === true) return ok('not needed: the runtime is set-uid root');
  const { fuseDevice, squashfuse, mksquashfs } = facts;
  const cause = 'without it no image can be mounted: a start fails, or unpacks the whole image';
  if (fuseDevice === 'absent')
    return warning('/dev/fuse is not there', { cause, remedy: asRoot('modprobe fuse') });
  if (fuseDevice === 'denied') {
    return warning('/dev/fuse may not be opened', { cause, remedy: asRoot('chmod 666 /dev/fuse') });
  }
  if (squashfuse === undefined)
    return warning('no squashfuse', { cause, remedy: inWords('install squashfuse on the host') });
  if (mksquashfs === undefined) {
    return warning(`${squashfuse}, no mksquashfs`, {
      cause: 'docker:// images cannot be pulled without it',
      remedy: inWords('install squashfs-tools on the host'),
    });
  }
  return ok(`/dev/fuse, ${squashfuse}`);
}

export function judgeContainer({ facts, container, containerFailure, policy }: Case): Judgement {
  if (containerFailure !== undefined) return asTold(containerFailure);
  if (container === undefined) {
    if (facts !== undefined && facts.runtimeVersion === undefined)
      return skipped('not run: there is no runtime');
    return undefined;
  }
  const { image, code, ms, words } = container;
  if (image.kind === 'none') {
    const why = image.why === '' ? '' : ` (none could be made: ${short(image.why)})`;
    return warning(`not run: no image is on the host yet${why}`, {
      remedy: here(`towline image pull ${policy.name} docker://alpine:3`),
    });
  }
  const which = image.kind === 'made' ? 'a tiny image made there' : image.path;
  if (code === 0) return ok(`ran ${which}${ms === undefined ? '' : ` in ${ms} ms`}`);
  // An image without a shell has been started all the same.
  if (/\/bin\/sh.*(no such file|not found)/i.test(words))
    return ok(`started ${which}, which has no /bin/sh`);
  const fatal = words.split('\n').findLast((line) => /FATAL|ERROR/.test(line)) ?? words;
  return failure(`${which} did not start (exit code ${code}): ${short(fatal, 300)}`, {
    code: 'RUNTIME_START_FAILED',
    remedy: inWords('mend what is found above; the words are those of the runtime'),
  });
}
