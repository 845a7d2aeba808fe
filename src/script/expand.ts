/** Paths as a configuration may write them: `~` in front and three variables, expanded on the host. */
import { AppError } from '../domain/failure.ts';
import { quote } from './quote.ts';

/**
 * Gives a shell word in which only a leading `~` and $HOME, $USER, $SCRATCH are expanded; everything
 * else is taken as it stands.
 * @throws CONFIG_VALUE_INVALID when the path would not be absolute, or names another user's home.
 */
export function templateWord(template: string): string {
  if (!/^(\/|~(\/|$)|\$\{?(HOME|SCRATCH)\b)/.test(template) || /\p{Cc}/u.test(template)) {
    throw new AppError(
      'CONFIG_VALUE_INVALID',
      `path ${JSON.stringify(template)}: it must begin with /, ~/, $HOME or $SCRATCH`,
    );
  }
  return partsOf(template)
    .map((part) => (isVariable(part) ? `"\${${nameOf(part)}:?}"` : quote(part)))
    .join('');
}

/** What the variables of a template are on a host. */
export interface PathValues {
  HOME: string;
  USER: string;
  /** Absent: not set there. */
  SCRATCH?: string | undefined;
}

/**
 * Gives the path a template means on a host that was asked for its values; they are put in as they are
 * and never pass a shell. @throws HOST_VARIABLE_UNSET
 */
export function expandPath(template: string, values: PathValues): string {
  const parts = partsOf(template).map((part) => {
    if (!isVariable(part)) return part;
    const name = nameOf(part) as keyof PathValues;
    const value = values[name];
    if (value !== undefined && value !== '') return value;
    const text = `path ${JSON.stringify(template)}: $${name} is not set on the host`;
    throw new AppError('HOST_VARIABLE_UNSET', text, { context: { variable: name } });
  });
  return parts.join('');
}

/** Gives the variables a template needs: without one of them it would be another path, perhaps `/`. */
export function templateVariables(template: string): string[] {
  return [...new Set(partsOf(template).filter(isVariable).map(nameOf))];
}

function partsOf(template: string): string[] {
  return template
    .replace(/^~/, '$HOME')
    .split(/(\$\{(?:HOME|USER|SCRATCH)\}|\$(?:HOME|USER|SCRATCH)\b)/)
    .filter((part) => part !== '');
}

function isVariable(part: string): boolean {
  return /^\$(\{(HOME|USER|SCRATCH)\}|(HOME|USER|SCRATCH))$/.test(part);
}

function nameOf(part: string): string {
  return part.replaceAll(/[${}]/g, '');
}
