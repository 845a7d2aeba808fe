/** Why a host did not let us in, with every key that was offered, refused or passed over. */
import { AppError, type ErrorCode, type ErrorContext } from '../../domain/failure.ts';
import type { HostSettings } from '../settings.ts';
import type { AuthPlan } from './auth-plan.ts';
import type { Offer } from './offers.ts';

interface Facts {
  settings: HostSettings;
  context: ErrorContext;
  cause?: unknown;
}

/** The failure of an authentication that ended as the plan stands. */
export function authFailure(plan: AuthPlan, facts: Facts): AppError {
  const { settings, context, cause } = facts;
  const code = codeOf(plan, settings);
  const keys = labels([...plan.accepted, ...plan.refused]);
  const file = settings.identityFiles.join(', ') || undefined;
  return new AppError(code, `${sentence(code, plan, settings)}${remarks(plan)}`, {
    context: { ...context, keys, file, agent: settings.identityAgent },
    cause,
  });
}

function codeOf(plan: AuthPlan, { identityFiles }: HostSettings): ErrorCode {
  if (plan.personRefused) return 'SSH_LOGIN_FAILED';
  if (plan.wantsPerson.length > 0) return 'SSH_NEEDS_LOGIN';
  if (plan.accepted.length > 0 || plan.refused.length > 0) return 'SSH_AUTH_FAILED';
  // Nothing was there to be offered.
  const onlyAgent = identityFiles.length === 0 && plan.passedOver.length > 0;
  return onlyAgent ? 'SSH_AGENT_UNAVAILABLE' : 'SSH_KEY_UNREADABLE';
}

function sentence(
  code: ErrorCode,
  plan: AuthPlan,
  { name, hostname, port, user }: HostSettings,
): string {
  const who = `host ${name} (${hostname}:${port})`;
  const keys =
    plan.accepted.length > 0
      ? `accepts ${labels(plan.accepted)} for user ${user}`
      : plan.refused.length > 0
        ? `accepts none of the keys offered for user ${user}: ${labels(plan.refused)}`
        : '';
  if (code === 'SSH_LOGIN_FAILED') {
    return `${who} did not accept the answers given for user ${user}`;
  }
  if (code === 'SSH_NEEDS_LOGIN') {
    const asks = `asks user ${user} for ${plan.wantsPerson.join(' or ')}`;
    return `${who} ${keys === '' ? '' : `${keys}; it `}${asks}, which only a person can answer`;
  }
  if (code === 'SSH_AUTH_FAILED') {
    const more = plan.accepted.length > 0 ? ` but wants more: ${plan.methods.join(', ')}` : '';
    return `${who} ${keys}${more}`;
  }
  const nothing = plan.passedOver.length > 0 ? 'none can be used' : 'no identity_file is set';
  return `private key for host ${name}: ${nothing}`;
}

function remarks(plan: AuthPlan): string {
  const passed = plan.passedOver.length === 0 ? '' : `; passed over: ${plan.passedOver.join('; ')}`;
  const left =
    plan.notOffered === 0 || plan.accepted.length > 0
      ? ''
      : `; ${plan.notOffered} more were not offered, so as not to be shut out: name the right one first in identity_file`;
  return `${passed}${left}`;
}

function labels(offers: readonly Offer[]): string {
  return offers.map(({ label }) => label).join('; ');
}
