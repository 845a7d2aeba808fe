/** What GET service-info tells. */
import { BACKEND_PARAMETERS } from '../../protocol/tes/backend.ts';
import type { TesSettings } from '../deps.ts';

export interface Organization {
  name: string;
  url: string;
}

/** The specification wants an address: without one of the user's it is one that leads nowhere. */
export function organizationOf({ organization, organizationUrl }: TesSettings): Organization {
  return { name: organization ?? 'Towline', url: organizationUrl ?? 'https://towline.invalid/' };
}

export function serviceInfo(version: string, organization: Organization) {
  return {
    id: 'io.towline.tes',
    name: 'Towline',
    type: { group: 'org.ga4gh', artifact: 'tes', version: '1.1.0' },
    description: 'Runs containers on hosts reached over SSH.',
    organization,
    version,
    // file: is not listed: some clients take a listed directory to be mounted, and it is copied
    storage: ['http://', 'https://', 's3://'],
    tesResources_backend_parameters: [...BACKEND_PARAMETERS],
  };
}
