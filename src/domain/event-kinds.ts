/** What each kind of event of a task says; docs/events.md is made from it. */
import type { TaskEvent } from './events.ts';

export const EVENT_KINDS: Readonly<Record<TaskEvent['kind'] | 'submitted', string>> = {
  submitted: 'the task was taken in: `name`, `host` asked for, `images`',
  placed: 'it was given a `host`, and `gpus` if it wants some',
  staged: 'its inputs are there: how many `files`, and their `bytes`',
  'pull-started': 'the host begins to pull `image` for it, or for another that wants it too',
  'pull-failed': 'a try to pull `image` failed: `failure`, and `nextTryAt` if it is tried again',
  'pull-finished': 'the pull has ended, and `image` is there',
  'pull-not-asked':
    'the registry could not tell whether a newer `image` is there, by `failure`: the one that is there is used',
  'image-ready':
    'its `image` is there; `notReused`: why no earlier task is taken instead of running it',
  reused:
    'it is not run, an earlier task did the same and what it made is there: `reused`, `outputs`, `exit`',
  'image-gone': 'the image had gone when it was to start; it is pulled again',
  'inputs-gone': 'inputs had gone when it was to start; they are brought again',
  'job-submitted': 'a scheduler has it: `job`, with its `id` and the `command` that submitted it',
  launched: 'it has started: `launch`, the record of its supervisor',
  exited:
    'its command has ended and both streams are here: `exit`; with outputs to fetch, not its end yet',
  collected: 'its `outputs` are here',
  died: 'it is dead and left no exit record: `failure`',
  gone: 'nothing of it is left after a cancel, or after a start that failed: `exit`, if it left a record',
  'step-failed': 'it cannot go on: `failure`',
  blocked: 'it cannot go on just now: `blocked`, with code, message and hint',
  unblocked: 'it goes on again',
  cleaned: 'its directory on the host is removed: `bytes` that it took',
  'hook-ended':
    'the command to be run at its end (`--on-finish`) has ended: `hook`, with `code` and `ms`, or `failure`',
  'cancel-asked': 'somebody asked to cancel it',
  'retry-asked': 'somebody asked for another attempt',
  'hold-asked': 'somebody asked to hold it back',
  released: 'it is held back no longer',
  'gc-asked': 'what was kept of it is to be removed',
  'predecessor-ended': 'a task it waits for has ended: `predecessor`, `succeeded`',
};
