/** What is told of the pull of one image for one task: started, failed (once a try), finished; in this order, none twice. */
import type { NewsEvent } from '../../domain/events.ts';
import type { AppError } from '../../domain/failure.ts';
import type { ReadyImage } from '../../domain/state.ts';
import type { StepContext } from '../dispatcher.ts';

export interface PullStory {
  /** It is under way: told once, however often it is said. */
  running(): void;
  /** A try failed; the next one comes at this time. */
  waits(error: AppError, nextTryAt: number): void;
  /** The registry could not be asked: what is there is used. */
  stale(error: AppError): void;
  /** Nothing is told of an image that was there. */
  finished(image: ReadyImage): Promise<void>;
  gaveUp(error: AppError): Promise<void>;
}

type Teller = Pick<StepContext, 'attempt' | 'tell' | 'trouble'>;

export function tellPull({ attempt, tell, trouble }: Teller, image: string): PullStory {
  let last: Promise<unknown> = Promise.resolve();
  let stands: 'nothing' | 'running' | 'waiting' = 'nothing';
  const then = (act: () => Promise<unknown>): void => {
    last = last.then(act);
    // whoever ends the story hears of it
    last.catch(() => {});
  };
  const news = (event: NewsEvent): void => then(() => tell(event));
  return {
    running() {
      if (stands === 'running') return;
      if (stands === 'waiting') then(() => trouble(undefined));
      stands = 'running';
      news({ kind: 'pull-started', attempt, image });
    },
    waits(error, nextTryAt) {
      stands = 'waiting';
      news({ kind: 'pull-failed', attempt, image, failure: error.toRecord(), nextTryAt });
      then(() => trouble(error));
    },
    stale(error) {
      if (stands === 'waiting') then(() => trouble(undefined));
      stands = 'nothing';
      news({ kind: 'pull-not-asked', attempt, image, failure: error.toRecord() });
    },
    async finished(ready) {
      if (stands !== 'nothing') news({ kind: 'pull-finished', attempt, image: ready });
      await last;
    },
    async gaveUp(error) {
      news({ kind: 'pull-failed', attempt, image, failure: error.toRecord() });
      await last;
    },
  };
}
