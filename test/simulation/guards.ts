/**
 * What keeps the promises, each part by its name: the real judgements of the product, and the checks
 * of its texts on a host. A negative control takes one away and must be found out.
 */
import { type Advance, advance } from '../../src/engine/advance.ts';
import { mayPass } from '../../src/engine/dispatcher.ts';
import { ASK_AGAIN_MS, afterCancel } from '../../src/engine/steps/cancel.ts';
import { newsOfLaunch } from '../../src/engine/steps/launch.ts';
import { isEnd, newsOfEnd, newsOfLeft } from '../../src/engine/steps/watch.ts';
import { parseSurvivors } from '../../src/script/sweep.ts';
import { judge } from '../../src/script/verdict.ts';

export interface Guards {
  advance: (...args: Parameters<typeof advance>) => Advance;
  judge: typeof judge;
  isEnd: typeof isEnd;
  newsOfEnd: typeof newsOfEnd;
  newsOfLeft: typeof newsOfLeft;
  newsOfLaunch: typeof newsOfLaunch;
  afterCancel: typeof afterCancel;
  parseSurvivors: typeof parseSurvivors;
  mayPass: typeof mayPass;
  /** A cancel whose end is not seen is told to the host again. */
  askAgainMs: number;
  /** Orders are carried out only after they are on disk. */
  commitBeforeAct: boolean;
  host: HostGuards;
}

export interface HostGuards {
  /** A supervisor that does not find its own go.<nonce> leaves. */
  ownNonce: boolean;
  /** A directory appears by one rename, and never replaces one. */
  publishOnce: boolean;
  /** A cancel takes the ticket itself. */
  cancelTakesTicket: boolean;
  /** A cancel compares machine and boot before it looks for processes. */
  cancelKnowsPlace: boolean;
  /** Who looks for survivors knows on which machine they would be. */
  survivorsKnowPlace: boolean;
  /** What was cleaned away leaves a mark that a late launch finds. */
  endedMark: boolean;
  /** A directory gets its name when what is in it is on disk. */
  durableContent: boolean;
  /** The supervisor's record is on disk before the ticket is taken. */
  durableRecord: boolean;
  /** The claim is on disk before the command starts. */
  durableClaim: boolean;
  /** So is the name of the attempt's directory. */
  durablePublish: boolean;
  /** The watcher of the time leaves when supervisor and payload are gone. */
  timerLeavesWithAll: boolean;
}

export const REAL: Guards = {
  advance,
  judge,
  isEnd,
  newsOfEnd,
  newsOfLeft,
  newsOfLaunch,
  afterCancel,
  parseSurvivors,
  mayPass,
  askAgainMs: ASK_AGAIN_MS,
  commitBeforeAct: true,
  host: {
    ownNonce: true,
    publishOnce: true,
    cancelTakesTicket: true,
    cancelKnowsPlace: true,
    survivorsKnowPlace: true,
    endedMark: true,
    durableContent: true,
    durableRecord: true,
    durableClaim: true,
    durablePublish: true,
    timerLeavesWithAll: true,
  },
};
