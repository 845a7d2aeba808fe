/** What a zone is here: the name of a host, or a tag that hosts have. Pure. */
import type { HostReport } from '../../engine/service.ts';
import type { ZoneOf } from '../../protocol/tes/to-spec.ts';

/** The first zone that means something here counts. */
export function zonesIn(hosts: readonly Pick<HostReport, 'name' | 'tags'>[]): ZoneOf {
  return (zones) => {
    for (const zone of zones) {
      if (hosts.some(({ name }) => name === zone)) return { asked: { host: zone }, warnings: [] };
      if (hosts.some(({ tags }) => tags.includes(zone))) {
        return { asked: { require: [zone] }, warnings: [] };
      }
    }
    if (zones.length === 0) return { asked: {}, warnings: [] };
    const warning = `no host is called ${zones.join(', ')} or has it as a tag; zones were left out`;
    return { asked: {}, warnings: [warning] };
  };
}
