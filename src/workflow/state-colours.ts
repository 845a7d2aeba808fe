/** What each state is drawn in; bright enough on dark, dark enough on white, told apart also by who sees few colours. */
export const STATE_COLOURS: Readonly<Record<string, string>> = {
  held: '#a8a29a',
  waiting: '#c3c9d1',
  queued: '#8d97a5',
  staging: '#56b4e9',
  pulling: '#2f7fc1',
  launching: '#e6b800',
  running: '#3d9e74',
  collecting: '#c58bd0',
  cleaning: '#b59a7a',
  cancelling: '#d98a4e',
  succeeded: '#2e8b57',
  failed: '#d13b3b',
  error: '#a3207a',
  cancelled: '#c77f1a',
  interrupted: '#8a4fd0',
};

/** One rule for each state: `.s-running { fill: … }`. */
export function stateRules(): string {
  return Object.entries(STATE_COLOURS)
    .map(([state, colour]) => `.s-${state}{fill:${colour};background:${colour}}`)
    .join('\n');
}
