/** The paths of a task on its host: what the task asks for, over what the host and the defaults have. */
import type { Bind, Overlay, TaskSpec } from '../domain/task.ts';
import { expandPath, type PathValues } from '../script/expand.ts';
import type { Need } from '../script/needs.ts';
import type { HostFacts } from '../script/probe.ts';
import type { EngineSettings, HostPolicy } from './settings.ts';

export interface Places {
  binds: Bind[];
  tmpDir?: string | undefined;
  overlay?: Overlay | undefined;
}

/** What a host and the defaults say where a task does not. */
interface Otherwise {
  policy?: Pick<HostPolicy, 'tmpDir' | 'overlayBytes'> | undefined;
  defaults?: Pick<EngineSettings['defaults'], 'overlayBytes'> | undefined;
}

/** What stands for a host that nobody has asked yet. */
export const ANY_HOST: PathValues = { HOME: '/$HOME', USER: '$USER', SCRATCH: '/$SCRATCH' };

/** @throws HOST_VARIABLE_UNSET */
export function placesOf(spec: TaskSpec, values: PathValues, otherwise: Otherwise = {}): Places {
  const { policy, defaults } = otherwise;
  const tmpDir = spec.tmpDir ?? policy?.tmpDir;
  const bytes = policy?.overlayBytes ?? defaults?.overlayBytes ?? 0;
  const overlay = spec.overlay ?? (bytes > 0 ? { kind: 'made', bytes } : { kind: 'none' });
  return {
    binds: spec.binds.map((bind) => ({ ...bind, source: expandPath(bind.source, values) })),
    tmpDir: tmpDir === undefined ? undefined : expandPath(tmpDir, values),
    overlay:
      overlay.kind === 'own' ? { ...overlay, path: expandPath(overlay.path, values) } : overlay,
  };
}

export function pathValues({ home, user, scratch }: HostFacts): PathValues {
  return { HOME: home, USER: user, SCRATCH: scratch };
}

export interface NamedNeed extends Need {
  code: 'BIND_SOURCE_MISSING' | 'OVERLAY_NOT_FOUND' | 'TMP_DIR_UNUSABLE';
  /** What it is, for people. */
  what: string;
}

/** What must be on the host before anything starts. */
export function needsOf({ binds, tmpDir, overlay }: Places): NamedNeed[] {
  const needs: NamedNeed[] = binds.map(({ source, target }) => ({
    path: source,
    code: 'BIND_SOURCE_MISSING',
    what: `bind ${source} (for ${target})`,
  }));
  if (overlay?.kind === 'own') {
    needs.push({ path: overlay.path, code: 'OVERLAY_NOT_FOUND', what: `overlay ${overlay.path}` });
  }
  if (tmpDir !== undefined) {
    const what = `tmp_dir ${tmpDir}`;
    needs.push({ path: tmpDir, directory: true, code: 'TMP_DIR_UNUSABLE', what });
  }
  return needs;
}
