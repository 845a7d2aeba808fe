/**
 * The promises of src/remote/host.ts, one by one, held against any implementation through the
 * interface alone, so that the host may be anywhere.
 */
import { afterAll, beforeAll, describe } from 'vitest';
import type { Host } from '../../src/remote/host.ts';
import { type Bench, makeBench } from './host-bench.ts';
import { filesSuite } from './host-files.suite.ts';
import { processSuite } from './host-process.suite.ts';
import { runSuite } from './host-run.suite.ts';

export interface HostUnderTest {
  host: Host;
  close(): Promise<void>;
}

const SUITES = [runSuite, filesSuite, processSuite];

export function hostSuite(
  title: string,
  setUp: () => Promise<HostUnderTest>,
  suites: readonly ((bench: () => Bench) => void)[] = SUITES,
): void {
  describe(`host contract: ${title}`, () => {
    let under: HostUnderTest;
    let bench: Bench;

    beforeAll(async () => {
      under = await setUp();
      bench = await makeBench(under.host);
    });
    afterAll(async () => {
      await bench.sh(`rm -rf '${bench.dir}'`);
      await under.close();
    });

    for (const suite of suites) suite(() => bench);
  });
}
