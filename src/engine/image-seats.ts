/** Places that have images: the hosts, and this machine where it stands in no list and has them for others. */
import { templateWord } from '../script/expand.ts';
import { ROOT_MARKER } from '../script/layout.ts';
import type { Seat, Seats } from './seats.ts';

type Places = Pick<Seats, 'all' | 'get' | 'here'>;

/** @throws HOST_UNKNOWN */
export function imageSeat(seats: Places, name: string): Seat {
  const here = seats.here();
  return here?.name === name ? here : seats.get(name);
}

/** Whether a place was ever used; nothing is made there to find that out. */
export async function hasRoot({ host, policy }: Seat): Promise<boolean> {
  const marker = `${templateWord(policy.root)}/${ROOT_MARKER}`;
  const text = `if [ -r ${marker} ]; then echo '@ yes'; else echo '@ no'; fi`;
  const reply = await host.run(text, { purpose: `looking for a root on ${policy.name}` });
  return reply.output.includes('@ yes');
}
