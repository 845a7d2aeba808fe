/**
 * How scripts/setup-apptainer.sh is run on a host: the words that start it. The script itself comes on
 * stdin; its last line is the one that runs it, so that a text which arrives cut does nothing.
 */
import { quote } from './quote.ts';
import { setupLines } from './task-script.ts';

export interface HostSetupPlan {
  act: 'check' | 'print' | 'install';
  runtime: string;
  setup?: string | undefined;
  cacheDir?: string | undefined;
  tmpDir?: string | undefined;
}

/** Gives the text: both outputs come as one, in the order in which they were written. */
export function hostSetupText(plan: HostSetupPlan): string {
  const { act, runtime, setup, cacheDir, tmpDir } = plan;
  const words = [
    ...(act === 'install' ? [] : [`--${act}`]),
    ...['--runtime', runtime],
    ...(cacheDir === undefined ? [] : ['--cache-dir', cacheDir]),
    ...(tmpDir === undefined ? [] : ['--tmp-dir', tmpDir]),
  ];
  const start = `exec /bin/sh -s -- ${words.map(quote).join(' ')} 2>&1`;
  return [...setupLines(setup), start].join('\n');
}
