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
  const text = template.replace(/^~/, '$HOME');
  const parts = text.split(/(\$\{(?:HOME|USER|SCRATCH)\}|\$(?:HOME|USER|SCRATCH)\b)/);
  return parts
    .filter((part) => part !== '')
    .map((part) => (isVariable(part) ? `"${part}"` : quote(part)))
    .join('');
}

function isVariable(part: string): boolean {
  return /^\$(\{(HOME|USER|SCRATCH)\}|(HOME|USER|SCRATCH))$/.test(part);
}
