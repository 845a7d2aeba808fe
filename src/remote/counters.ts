import type { HostCounters } from './host.ts';

/** All counts at zero. One such object is shared by everything that works for a host. */
export function newCounters(): HostCounters {
  return {
    logins: 0,
    channels: 0,
    shellBatches: 0,
    shellCommands: 0,
    sftpRequests: 0,
    bytesSent: 0,
    bytesReceived: 0,
  };
}
