/** What the door asks about hosts. */
import type { ServiceDeps } from './create-service.ts';
import { examine } from './doctor/doctor.ts';
import { createHostActs } from './host-acts.ts';
import { createHostReport } from './host-report.ts';
import { createLogins } from './logins.ts';
import type { Service } from './service.ts';

type HostService = Pick<
  Service,
  | 'hosts'
  | 'host'
  | 'doctor'
  | 'login'
  | 'setHostMode'
  | 'setupHost'
  | 'setupApptainer'
  | 'forgetHost'
>;

export function createHostService(deps: ServiceDeps): HostService {
  const { seats } = deps;
  const report = createHostReport(deps);
  const sessionId = (): string => Buffer.from(deps.randomBytes(16)).toString('hex');
  const logins = createLogins({ sessionId });

  return {
    hosts: () => seats.all().map(report),
    async host(name, { probe }) {
      const seat = seats.get(name);
      // The failure is part of the report; asking for it does not fail.
      if (probe && seat.mode() !== 'paused') {
        seat.host.wake();
        await seat.facts().catch(() => undefined);
      }
      return report(seat);
    },
    ...createHostActs(deps, report),
    doctor: (name) =>
      examine({
        ...seats.get(name),
        now: deps.now,
        defaultImages: deps.settings().defaults.images,
      }),
    async login(name, request, { signal }) {
      const seat = seats.get(name);
      const step = await logins.step(seat, request, signal);
      return step.done ? { done: true, host: report(seat) } : step;
    },
  };
}
