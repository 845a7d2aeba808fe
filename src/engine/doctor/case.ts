/** What is judged. */
import type { FailureRecord } from '../../domain/failure.ts';
import type { Judgement } from '../../domain/judgement.ts';
import type { LinkInspection } from '../../remote/host.ts';
import type { DoctorFacts } from '../../script/doctor.ts';
import type { ContainerTrial } from '../../script/doctor-container.ts';
import type { HostPolicy } from '../settings.ts';

/** Everything that was found; what is absent was not, or not yet. */
export interface Case {
  policy: Pick<HostPolicy, 'name' | 'type' | 'root' | 'runtime' | 'setup' | 'imageCacheDir'> &
    Partial<Pick<HostPolicy, 'insecureRegistries' | 'jobs'>>;
  link: LinkInspection;
  facts?: DoctorFacts | undefined;
  /** Why there are no facts although there is a shell. */
  factsFailure?: FailureRecord | undefined;
  /** The host's clock minus ours. */
  skewMs?: number | undefined;
  /** What the scheduler's own question was answered, where there is one. */
  schedulerSaid?: string | undefined;
  container?: ContainerTrial | undefined;
  containerFailure?: FailureRecord | undefined;
}

export type Judge = (found: Case) => Judgement;
