/** From the configuration to what engine and bridge must know of each host. */
import type { Config, HostConfig } from './config/config.ts';
import type { EngineSettings, HostPolicy } from './engine/settings.ts';
import type { Logger } from './log.ts';
import { createLocalHost } from './remote/local/local-host.ts';
import { HOST_TUNING, type HostSettings } from './remote/settings.ts';
import type { Roads } from './remote/ssh/roads.ts';
import { createSshHost } from './remote/ssh/ssh-host.ts';
import { logged } from './remote/wrap/logged.ts';

/** Settings of the engine; hosts are made, not connected. */
export function engineSettings(config: Config, log: Logger, roads?: Roads): EngineSettings {
  const { host, cleanup, outputLimitBytes, timeLimitMs, keepFailedMs, stopGraceMs } =
    config.defaults;
  return {
    defaults: { host, cleanup, outputLimitBytes, timeLimitMs, keepFailedMs, stopGraceMs },
    hosts: Object.values(config.hosts).map((entry) => ({
      policy: policyOf(entry, config),
      open: () => logged(openHost(entry, { config, log, roads }), log),
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
  return createSshHost(settingsOf(host, config), { logger, roads });
}

function settingsOf(host: HostConfig, config: Config, behind: string[] = []): HostSettings {
  const { name, hostname, port, user, transferLinks, connectTimeoutMs } = host;
  return {
    ...HOST_TUNING,
    name,
    hostname,
    port,
    user,
    identityFiles: [...host.identityFiles],
    identityAgent: host.identityAgent,
    passphraseFile: host.passphraseFile,
    knownHostsFiles: [...host.knownHostsFiles],
    transferLinks,
    connectTimeoutMs,
    jumps: jumpsOf(host, config, [...behind, name]),
  };
}

/** The sections named by `jump`, each of which may have jump hosts of its own before it. */
function jumpsOf({ jump }: HostConfig, config: Config, behind: string[]): HostSettings[] {
  return (jump ?? []).flatMap((name) => {
    const hop = config.hosts[name];
    // A host on the way to itself is no way.
    if (hop === undefined || behind.includes(name)) return [];
    const settings = settingsOf(hop, config, behind);
    return [...settings.jumps, settings];
  });
}

function policyOf(host: HostConfig, config: Config): HostPolicy {
  return {
    name: host.name,
    type: host.type,
    address: host.type === 'local' ? 'this machine' : `${host.user}@${host.hostname}:${host.port}`,
    // A jump host that is configured otherwise makes another host of this one.
    configured: JSON.stringify([host, ...(host.jump ?? []).map((name) => config.hosts[name])]),
    enabled: host.enabled,
    root: host.root,
    maxTasks: host.maxTasks,
    cpus: host.cpus,
    memoryBytes: host.memoryBytes,
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
