/** From the configuration to what engine and bridge must know of each host. */
import type { Config, HostConfig } from './config/config.ts';
import type { EngineSettings, HostPolicy } from './engine/settings.ts';
import type { Logger } from './log.ts';
import { createLocalHost } from './remote/local/local-host.ts';
import { HOST_TUNING } from './remote/settings.ts';
import { createSshHost } from './remote/ssh/ssh-host.ts';
import { logged } from './remote/wrap/logged.ts';

/** Settings of the engine; hosts are made, not connected. */
export function engineSettings(config: Config, log: Logger): EngineSettings {
  const { host, cleanup, outputLimitBytes, timeLimitMs, keepFailedMs, stopGraceMs } =
    config.defaults;
  return {
    defaults: { host, cleanup, outputLimitBytes, timeLimitMs, keepFailedMs, stopGraceMs },
    hosts: Object.values(config.hosts).map((entry) => ({
      policy: policyOf(entry),
      open: () => logged(openHost(entry, log), log),
    })),
  };
}

function openHost(host: HostConfig, logger: Logger) {
  if (host.type === 'local') return createLocalHost({ name: host.name }, { logger });
  const { name, hostname, port, user, transferLinks, connectTimeoutMs } = host;
  const identityFiles = [...host.identityFiles];
  const knownHostsFiles = [...host.knownHostsFiles];
  const place = { name, hostname, port, user, identityFiles, knownHostsFiles };
  return createSshHost({ ...HOST_TUNING, ...place, transferLinks, connectTimeoutMs }, { logger });
}

function policyOf(host: HostConfig): HostPolicy {
  return {
    name: host.name,
    type: host.type,
    address: host.type === 'local' ? 'this machine' : `${host.user}@${host.hostname}:${host.port}`,
    configured: JSON.stringify(host),
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
    insecureRegistries: [...host.insecureRegistries],
    pull: {
      attempts: host.pullAttempts,
      backoffMs: host.pullBackoffMs,
      backoffCapMs: host.pullBackoffCapMs,
      timeoutMs: host.pullTimeoutMs,
      maxConcurrent: host.maxPulls,
    },
    transferLinks: host.transferLinks,
  };
}
