/** What is known of shells by their names: which read a text as POSIX says, and which files they read first. */

/** zsh splits no words, csh and fish know another language. */
const POSIX_SHELLS: ReadonlySet<string> = new Set([
  'sh',
  'dash',
  'bash',
  'ash',
  'busybox',
  'ksh',
  'mksh',
]);

/** The files below the home directory that a shell reads also without a terminal, the first one first. */
export const STARTUP_FILES: Readonly<Record<string, readonly string[]>> = {
  bash: ['.bashrc'],
  zsh: ['.zshenv'],
  csh: ['.cshrc'],
  tcsh: ['.tcshrc', '.cshrc'],
  fish: ['.config/fish/config.fish'],
};

/** By its name alone, as `shellName` gives it. */
export function isPosixShell(name: string): boolean {
  return POSIX_SHELLS.has(name);
}

/** The name of a shell from its path or `$0`; a login shell's has a dash before it. */
export function shellName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/^-/, '');
}
