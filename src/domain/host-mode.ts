/**
 * What a host may be used for just now, by the word of a person. open: all; draining: what is there
 * ends there, nothing new comes; paused: nobody speaks to it, what runs there runs on unseen.
 */
export const HOST_MODES = ['open', 'draining', 'paused'] as const;
export type HostMode = (typeof HOST_MODES)[number];

/** One change of a host's mode. Its number is one of those of the events of tasks. */
export interface HostEvent {
  seq: number;
  at: number;
  host: string;
  mode: HostMode;
}
