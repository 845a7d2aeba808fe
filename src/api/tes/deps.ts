/** What the TES routes are given. */
import type { ApiOptions } from '../deps.ts';
import type { Roots } from './local-files.ts';
import type { Organization } from './service-info.ts';

export interface TesDeps
  extends Pick<ApiOptions, 'service' | 'version' | 'specDefaults' | 'logger'> {
  /** Which files of the submit host tasks may name; asked for each task. */
  roots: () => Roots;
  organization: () => Organization;
}
