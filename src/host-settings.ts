/** From the configuration to what engine and bridge must know of each host. */
import { join } from 'node:path';
import type { Config, HostConfig, HostSlurm, S3Config } from './config/config.ts';
import { jumpPath } from './config/jump-path.ts';
import { DEFAULTS_KEYS } from './config/keys.ts';
import { furtherNodes, parseLoginNode } from './config/login-node.ts';
import { loginFor } from './config/registry-auth.ts';
import { credentialsIn } from './config/s3-credentials.ts';
import { THIS_MACHINE, thisMachine } from './config/this-machine.ts';
import { AppError } from './domain/failure.ts';
import type { HostJobs } from './engine/jobs/host-jobs.ts';
import type { EngineSettings, HostPolicy, S3Settings } from './engine/settings.ts';
import type { Logger } from './log.ts';
import { createLocalHost } from './remote/local/local-host.ts';
import { HOST_TUNING, type HostSettings } from './remote/settings.ts';
import { readPrivateFile } from './remote/ssh/private-file.ts';
import type { Roads } from './remote/ssh/roads.ts';
import { createSshHost } from './remote/ssh/ssh-host.ts';
import { withFaultPoints } from './remote/wrap/fault-points.ts';
import { logged } from './remote/wrap/logged.ts';
import type { SlurmPolicy } from './scheduler/slurm/policy.ts';
import { createSlurm } from './scheduler/slurm/slurm.ts';
import { keepSecret } from './secrets.ts';

/** Settings of the engine; hosts are made, not connected. */
export function engineSettings(config: Config, log: Logger, roads?: Roads): EngineSettings {
  const { host, cleanup, outputLimitBytes, timeLimitMs, keepFailedMs, stopGraceMs } =
    config.defaults;
  const { keepTasksMs, collectLimitBytes, overlayBytes, pullWhen, images } = config.defaults;
  const { queueLimit: queue, minFreeBytes, keepEventsMs, eventsMax } = config.daemon;
  const { hookMs, hooks } = config.daemon;
  return {
    limits: { queue, minFreeBytes, keepEventsMs, eventsMax, hookMs, hooks },
    defaults: {
      ...{ host, cleanup, outputLimitBytes, timeLimitMs, keepFailedMs, stopGraceMs },
      ...{ keepTasksMs, collectLimitBytes, overlayBytes, pullWhen },
      ...(String(images) !== DEFAULTS_KEYS.image.otherwise.default && { images }),
    },
    s3: s3Settings(config.s3),
    hosts: Object.values(config.hosts).map((entry) => ({
      policy: policyOf(entry, config),
      open: () => logged(withFaultPoints(openHost(entry, { config, log, roads })), log),
    })),
    thisMachine: unlisted(config, log),
  };
}

function s3Settings(config: S3Config): S3Settings {
  const { region, endpoint = `https://s3.${region}.amazonaws.com` } = config;
  return { region, endpoint: endpoint.replace(/\/+$/, ''), keys: () => s3Keys(config) };
}

/** The log never tells them. */
async function s3Keys({ credentials: path, profile }: S3Config): ReturnType<S3Settings['keys']> {
  if (path === undefined) return undefined;
  const read = await readPrivateFile(path);
  if ('trouble' in read) return read;
  const keys = credentialsIn(read.bytes.toString('utf8'), profile);
  if ('trouble' in keys) return { trouble: `${path} ${keys.trouble}` };
  keepSecret(keys.secretAccessKey);
  return keys;
}

/** A registry that some host is to speak plain HTTP to speaks it to this machine as well. */
function unlisted(config: Config, log: Logger): EngineSettings['thisMachine'] {
  const hosts = Object.values(config.hosts);
  if (hosts.some(({ type, name }) => type === 'local' || name === THIS_MACHINE)) return undefined;
  const insecureRegistries = [...new Set(hosts.flatMap((host) => host.insecureRegistries))];
  const entry = { ...thisMachine(process.env), insecureRegistries };
  const open = () =>
    logged(withFaultPoints(openHost(entry, { config, log, roads: undefined })), log);
  return { policy: policyOf(entry, config), open };
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

/** What the bridge must know of a host behind SSH, the way to it and its further login nodes included. */
export function sshSettings(host: HostConfig, config: Config): HostSettings {
  const further = furtherNodes(config, host).map((node) => nodeSettings(node, config));
  return { ...nodeSettings(host, config), ...(further.length > 0 && { furtherNodes: further }) };
}

/** Of its first login node. */
function nodeSettings(host: HostConfig, config: Config): HostSettings {
  const { name, user, links, connectTimeoutMs, loginBurst, loginRefillMs } = host;
  const { identityAgent, passphraseFile, hostKeyAlias } = host;
  return {
    ...HOST_TUNING,
    name,
    ...addressOf(host),
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

function addressOf({ hostnames, port }: HostConfig): { hostname: string; port: number } {
  const [first = ''] = hostnames;
  const node = parseLoginNode(first) ?? { host: first };
  return { hostname: node.host, port: node.port ?? port };
}

/** For people: user@hostname:port, for each login node. */
function addressText(host: HostConfig, config: Config): string {
  if (host.type === 'local') return 'this machine';
  const nodes = [host, ...furtherNodes(config, host)];
  return nodes.map((node) => `${node.user}@${Object.values(addressOf(node)).join(':')}`).join(', ');
}

/** Everything that a change of makes another host of it. */
function configuredText(host: HostConfig, config: Config): string {
  const nodes = furtherNodes(config, host);
  const all = [host, ...nodes].flatMap((node) => [node, ...jumpPath(config, node)]);
  return JSON.stringify([config.slurm[host.name], ...all]);
}

/** The login for a registry; the log never tells it. */
async function registryLogin(host: HostConfig, registry: string): Promise<string | undefined> {
  const path = host.registryAuthFile;
  if (path === undefined) return undefined;
  const read = await readPrivateFile(path);
  const login = 'trouble' in read ? read : loginFor(read.bytes.toString('utf8'), registry);
  if (login !== undefined && 'trouble' in login) {
    const what = login.trouble.startsWith(path) ? login.trouble : `${path} ${login.trouble}`;
    throw new AppError('REGISTRY_AUTH_INVALID', `registry_auth_file of ${host.name}: ${what}`, {
      context: { host: host.name, path },
    });
  }
  login?.secrets.forEach(keepSecret);
  return login?.json;
}

function policyOf(host: HostConfig, config: Config): HostPolicy {
  return {
    name: host.name,
    type: host.type,
    jobs:
      host.scheduler === 'slurm'
        ? slurmJobs(slurmPolicyOf(host, config.slurm[host.name]), host.setup)
        : undefined,
    address: addressText(host, config),
    configured: configuredText(host, config),
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
    imageSource: host.imageSource,
    imageFrom: host.imageFrom,
    insecureRegistries: [...host.insecureRegistries],
    pull: {
      when: host.pullWhen,
      askEveryMs: host.pullAskEveryMs,
      attempts: host.pullAttempts,
      backoffMs: host.pullBackoffMs,
      backoffCapMs: host.pullBackoffCapMs,
      timeoutMs: host.pullTimeoutMs,
      maxConcurrent: host.maxPulls,
      priority: host.pullPriority,
      minFreeBytes: host.pullMinFreeBytes,
      login: (registry) => registryLogin(host, registry),
      memory: { firstMs: host.pullMemoryMs, capMs: host.pullMemoryCapMs },
    },
    transferLinks: host.links - 1,
    pollsPerSecond: host.pollsPerSecond,
  };
}

/** The only place that knows which scheduler is meant. */
export function slurmJobs(policy: SlurmPolicy, setup?: string): HostJobs {
  const { pilotTasks: tasks, pilotWalltimeMs, pollMinMs: min, pollMaxMs: max } = policy;
  const walltimeMs = pilotWalltimeMs === 0 ? undefined : pilotWalltimeMs;
  return {
    scheduler: createSlurm(policy, setup),
    array: policy.array === 'auto',
    pilot: tasks > 1 ? { tasks, walltimeMs } : undefined,
    submitConcurrency: policy.submitConcurrency,
    pollMs: { min, max },
    timeoutMs: policy.commandTimeoutMs,
  };
}

/** What the configuration of a host says of its Slurm. */
export function slurmPolicyOf(host: HostConfig, beside: HostSlurm | undefined): SlurmPolicy {
  const { partition, partitionShort, partitionGpu, partitionFpga, account, qos, constraint } = host;
  const { jobPrefix, array, pilotTasks, pilotWalltimeMs, submitConcurrency } = host;
  return {
    host: host.name,
    ...{ partition, partitionShort, partitionGpu, partitionFpga, account, qos, constraint },
    args: [...host.sbatchArgs],
    rules: (beside?.rules ?? []).map(({ when, args = [] }) => ({ when, args: [...args] })),
    limits: (beside?.partitions ?? []).map(({ name, ...limits }) => ({
      partition: name,
      ...limits,
    })),
    ...{ jobPrefix, array, pilotTasks, pilotWalltimeMs, submitConcurrency },
    commandTimeoutMs: host.slurmTimeoutMs,
    pollMinMs: host.queuePollMinMs,
    pollMaxMs: host.queuePollMaxMs,
  };
}
