/** From the configuration to what engine and bridge must know of each host. */
import { join } from 'node:path';
import type { Config, HostConfig } from './config/config.ts';
import { jumpPath } from './config/jump-path.ts';
import type { EngineSettings, HostPolicy } from './engine/settings.ts';
import type { Logger } from './log.ts';
import { createLocalHost } from './remote/local/local-host.ts';
import { HOST_TUNING, type HostSettings } from './remote/settings.ts';
import type { Roads } from './remote/ssh/roads.ts';
import { createSshHost } from './remote/ssh/ssh-host.ts';
import { withFaultPoints } from './remote/wrap/fault-points.ts';
import { logged } from './remote/wrap/logged.ts';

/** Settings of the engine; hosts are made, not connected. */
export function engineSettings(config: Config, log: Logger, roads?: Roads): EngineSettings {
  const { host, cleanup, outputLimitBytes, timeLimitMs, keepFailedMs, stopGraceMs } =
    config.defaults;
  const { keepTasksMs, collectLimitBytes, overlayBytes } = config.defaults;
  const { queueLimit: queue, minFreeBytes, keepEventsMs, eventsMax } = config.daemon;
  return {
    limits: { queue, minFreeBytes, keepEventsMs, eventsMax },
    defaults: {
      ...{ host, cleanup, outputLimitBytes, timeLimitMs, keepFailedMs, stopGraceMs },
      ...{ keepTasksMs, collectLimitBytes, overlayBytes },
    },
    hosts: Object.values(config.hosts).map((entry) => ({
      policy: policyOf(entry, config),
      open: () => logged(withFaultPoints(openHost(entry, { config, log, roads })), log),
    })),
  };
}

interface HostParts {
  config: Config;
  log: Logger;
  roads: Roads | undefined;
}

function openHost(host: HostConfig, { config, log: logger, roads }: HostParts) {
  if (host.type === 'local') return createLocalHost({ name: host.name }, { logger });
  return createSshHost(sshSettings(host, config), { logger, roads });
}

/** What the bridge must know of a host behind SSH, the way to it included. */
export function sshSettings(host: HostConfig, config: Config): HostSettings {
  const { name, hostname, port, user, links, connectTimeoutMs, loginBurst, loginRefillMs } = host;
  const { identityAgent, passphraseFile, hostKeyAlias } = host;
  return {
    ...HOST_TUNING,
    name,
    hostname,
    port,
    user,
    identityFiles: [...host.identityFiles],
    ...(identityAgent !== undefined && { identityAgent }),
    passphraseFile,
    knownHostsFiles: [...host.knownHostsFiles],
    ...(hostKeyAlias !== undefined && { hostKeyAlias }),
    trustedKeysFile: join(config.daemon.stateDir, 'known_hosts'),
    jumps: jumpPath(config, host).map((hop) => sshSettings({ ...hop, jump: [] }, config)),
    transferLinks: links - 1,
    connectTimeoutMs,
    loginBurst,
    loginRefillMs,
  };
}

function policyOf(host: HostConfig, config: Config): HostPolicy {
  return {
    name: host.name,
    type: host.type,
    address: host.type === 'local' ? 'this machine' : `${host.user}@${host.hostname}:${host.port}`,
    configured: JSON.stringify([host, ...jumpPath(config, host)]),
    enabled: host.enabled,
    root: host.root,
    maxTasks: host.maxTasks,
    cpus: host.cpus,
    memoryBytes: host.memoryBytes,
    gpus: host.gpus,
    tags: [...host.tags],
    runtime: host.runtime,
    runtimeArgs: [...host.runtimeArgs],
    setup: host.setup,
    imageCacheDir: host.imageCacheDir,
    tmpDir: host.tmpDir,
    overlayBytes: host.overlayBytes,
    insecureRegistries: [...host.insecureRegistries],
    pull: {
      attempts: host.pullAttempts,
      backoffMs: host.pullBackoffMs,
      backoffCapMs: host.pullBackoffCapMs,
      timeoutMs: host.pullTimeoutMs,
      maxConcurrent: host.maxPulls,
    },
    transferLinks: host.links - 1,
    pollsPerSecond: host.pollsPerSecond,
  };
}
