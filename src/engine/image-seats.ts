/** Places that have images: the hosts, and this machine where it stands in no list and has them for others. */
import { parseRootThere, rootThereText } from '../script/root-there.ts';
import type { Seat, Seats } from './seats.ts';

type Places = Pick<Seats, 'all' | 'get' | 'here'>;

/** @throws HOST_UNKNOWN */
export function imageSeat(seats: Places, name: string): Seat {
  const here = seats.here();
  return here?.name === name ? here : seats.get(name);
}

/** Whether a place was ever used; nothing is made there to find that out. */
export async function hasRoot({ host, policy }: Seat): Promise<boolean> {
  const purpose = `looking for a root on ${policy.name}`;
  const reply = await host.run(rootThereText(policy.root), { purpose });
  return parseRootThere(reply.output, purpose);
}
