/** Which hosts may have an image in place of one that cannot pull it, and what is said when none can. */
import { AppError, type ErrorCode } from '../domain/failure.ts';
import type { Seat, Seats } from './seats.ts';

/** Links in this state would only cost a try. */
const AWAY: readonly string[] = ['unreachable', 'refused', 'needs-login', 'closed'];

/**
 * The named one alone, else this machine and then the other hosts, those first that are connected.
 * Nothing is asked of any of them here.
 */
export function sourcesFor(seat: Seat, seats: Pick<Seats, 'all' | 'get' | 'here'>): Seat[] {
  const { imageFrom } = seat.policy;
  const here = seats.here();
  if (imageFrom !== undefined) {
    const named = seats.all().find(({ name }) => name === imageFrom);
    const source = named ?? (imageFrom === 'local' ? here : undefined) ?? seats.get(imageFrom);
    return source.name === seat.name ? [] : [source];
  }
  const others = seats.all().filter((other) => other !== here && mayPull(other));
  const isReady = ({ host }: Seat): boolean => host.linkState().kind === 'ready';
  const sorted = [...others.filter(isReady), ...others.filter((other) => !isReady(other))];
  return [...(here === undefined ? [] : [here]), ...sorted].filter(
    ({ name }) => name !== seat.name,
  );
}

/** Those that want their own images from elsewhere are no help. */
function mayPull({ policy, host, mode }: Seat): boolean {
  if (!policy.enabled || policy.imageSource !== 'pull') return false;
  return mode() !== 'paused' && !AWAY.includes(host.linkState().kind);
}

/** What kept a source from giving the image. */
export interface SourceFailure {
  source: string;
  error: AppError;
}

/** @throws IMAGE_ARCHITECTURE when both are known and differ: nothing in the image would start. */
export function refuseOtherCpu(
  source: { name: string; arch: string | undefined },
  target: { name: string; arch: string | undefined },
  image: string,
): void {
  if (!source.arch || !target.arch || source.arch === target.arch) return;
  const text = `image ${image}: ${source.name} is ${source.arch}, ${target.name} is ${target.arch}`;
  throw new AppError('IMAGE_ARCHITECTURE', text, {
    context: { host: target.name, source: source.name, image },
  });
}

/** After one of these another source would say the same: they speak of the image itself. */
export function isFinal(error: AppError): boolean {
  return ['IMAGE_MANIFEST_UNKNOWN', 'IMAGE_UNAUTHORIZED', 'IMAGE_REFERENCE_INVALID'].includes(
    error.code,
  );
}

/** One error that names every host asked and what each said; `pull` is what the host itself said. */
export function noneCould(
  failures: readonly SourceFailure[],
  wish: { host: string; image: string; pull?: AppError | undefined },
): AppError {
  const { host, image, pull } = wish;
  const last = failures.at(-1);
  const context = { host, image, source: last?.source };
  const told = failures.map(({ source, error }) => `from ${source}: ${error.message}`);
  const own = pull === undefined ? [] : [`on ${host}: ${pull.message}`];
  const none = failures.length === 0 ? ['no other host is there to send it'] : [];
  const message = `image ${image} cannot be had for ${host}: ${[...own, ...told, ...none].join('; ')}`;
  return new AppError(
    codeOf(
      failures.map(({ error }) => error),
      pull,
    ),
    message,
    { context },
  );
}

/** What passes by itself is waited for; what somebody must mend is told by its own name. */
function codeOf(errors: readonly AppError[], pull: AppError | undefined): ErrorCode {
  const last = errors.at(-1);
  if (errors.some(isSourceAway)) return 'IMAGE_SOURCE_AWAY';
  if (last !== undefined && last.code !== 'RUNTIME_NOT_FOUND') return last.code;
  return pull?.code ?? 'IMAGE_NO_SOURCE';
}

/** Never by the link's own code: that would be taken for the link of the host that waits. */
function isSourceAway({ code }: AppError): boolean {
  return code.startsWith('SSH_') || code.startsWith('SFTP_') || isHostTrouble(code);
}

function isHostTrouble(code: string): boolean {
  return code.startsWith('HOST_') && code !== 'HOST_NO_SPACE';
}
