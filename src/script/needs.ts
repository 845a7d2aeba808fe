/** What must be on a host before an attempt is made there: the launch looks for it first. */
import { quote } from './quote.ts';

export interface Need {
  path: string;
  /** A directory that can be written to; else whatever is there. */
  directory?: boolean;
}

/** The reply names the first that is not there by its number. */
export const NEED_FUNCTIONS = `present() {
  [ -e "$2" ] || gone "lacks $1"
}
writable() {
  [ -d "$2" ] || gone "lacks $1"
  [ -w "$2" ] || gone "lacks $1"
}`;

export function needLine({ path, directory }: Need, index: number): string {
  return `${directory === true ? 'writable' : 'present'} ${index} ${quote(path)}`;
}
