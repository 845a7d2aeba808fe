/** Completion scripts for three shells, from the same places. */
import type { Command } from 'commander';
import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import { placesOf } from './tree.ts';
import { zshScript } from './zsh.ts';

/** The script for a shell; the same tree gives the same text. */
export function completionScript(program: Command, shell: 'bash' | 'zsh' | 'fish'): string {
  const places = placesOf(program);
  if (shell === 'bash') return bashScript(places);
  return shell === 'zsh' ? zshScript(places) : fishScript(places);
}
