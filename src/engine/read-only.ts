/**
 * The door of a daemon whose state is not its own: a copy, or made on another machine. Whoever has the
 * original may act at the same time, under the same name. So what is stored is shown, and nothing is
 * written, decided or sent to any host before somebody says who goes on (`towline daemon --adopt-state`).
 */
import { AppError } from '../domain/failure.ts';
import type { Service } from './service.ts';

/** What each method is. The compiler asks for every one, so a new one is never open by oversight. */
const KINDS: Readonly<Record<keyof Service, 'shows' | 'acts'>> = {
  submit: 'acts',
  admitUpload: 'acts',
  plan: 'shows',
  get: 'shows',
  wait: 'shows',
  list: 'shows',
  documents: 'shows',
  cancel: 'acts',
  retry: 'acts',
  hold: 'acts',
  release: 'acts',
  // The runtime's own log is on the host, whose gate is shut.
  logs: 'shows',
  events: 'shows',
  files: 'acts',
  exec: 'acts',
  matchFiles: 'acts',
  fileContent: 'acts',
  hosts: 'shows',
  host: 'shows',
  doctor: 'acts',
  trust: 'acts',
  login: 'acts',
  setHostMode: 'acts',
  setupHost: 'acts',
  setupApptainer: 'acts',
  forgetHost: 'acts',
  images: 'acts',
  pullImage: 'acts',
  removeImage: 'acts',
  pruneImages: 'acts',
  gc: 'acts',
  removals: 'shows',
  metrics: 'shows',
  health: 'shows',
};

/** The methods that commit, or ask something of a host. */
export const ACTS = (Object.keys(KINDS) as (keyof Service)[]).filter(
  (name) => KINDS[name] === 'acts',
);

export function stateCloned(): AppError {
  return new AppError(
    'DAEMON_STATE_CLONED',
    'the state directory is a copy, or was made on another machine: read-only',
  );
}

/** The same service with everything that acts refused. @throws DAEMON_STATE_CLONED from each of those */
export function readOnlyService(service: Service): Service {
  const refuse = (): never => {
    throw stateCloned();
  };
  const refused = ACTS.map((name) => [name, name === 'doctor' ? refuse : async () => refuse()]);
  return { ...service, ...(Object.fromEntries(refused) as Partial<Service>) };
}
