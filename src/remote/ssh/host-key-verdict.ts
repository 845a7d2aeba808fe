/** What the known_hosts files say of the keys a host offers, before anybody trusts one. Pure. */
import type { OfferedKey } from '../host-keys.ts';
import { fingerprint } from './host-key.ts';
import type { HostPins, LinePlace } from './known-hosts.ts';
import type { PublicKey } from './trust-file.ts';

/**
 * One verdict for each key. A key that is not pinned is `different` when another of its type is, and
 * when none of the pinned keys is offered any more: that is how another machine looks.
 */
export function judgeOffers(pins: HostPins, offers: readonly PublicKey[]): OfferedKey[] {
  const [bad] = pins.badRevoked;
  const proven = offers.some(({ blob }) => pins.pinned.some((pin) => pin.blob.equals(blob)));
  return offers.map((offer) => {
    const shown = { type: offer.type, fingerprint: fingerprint(offer.blob) };
    const revoked = bad ?? pins.revoked.find(({ blob }) => blob.equals(offer.blob));
    if (revoked !== undefined) return { ...shown, verdict: 'revoked', places: [place(revoked)] };
    const same = pins.pinned.filter(({ blob }) => blob.equals(offer.blob));
    if (same.length > 0) return { ...shown, verdict: 'trusted', places: same.map(place) };
    const others = pins.pinned.filter(({ type }) => type === offer.type || !proven);
    if (others.length > 0) return { ...shown, verdict: 'different', places: others.map(place) };
    return { ...shown, verdict: 'unknown', places: [] };
  });
}

function place({ file, line }: LinePlace): string {
  return `${file}:${line}`;
}
