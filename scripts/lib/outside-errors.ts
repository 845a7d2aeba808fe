/** A reporter of vitest: writes FILE.outside beside the file of the JSON reporter: errors that belong to no test, a line each. */
import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule, Vitest } from 'vitest/node';

// oxlint-disable-next-line import/no-default-export -- how vitest loads a reporter
export default class OutsideErrors implements Reporter {
  #results: string | undefined;

  onInit({ config: { outputFile } }: Vitest): void {
    this.#results = typeof outputFile === 'object' ? outputFile['json'] : outputFile;
  }

  onTestRunEnd(_: readonly TestModule[], errors: readonly SerializedError[]): void {
    if (this.#results === undefined) return;
    const lines = errors.map(({ message }) => `${message.replaceAll(/\s+/g, ' ')}\n`);
    writeFileSync(`${this.#results}.outside`, lines.join(''));
  }
}
