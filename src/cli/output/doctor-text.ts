/** Findings for people: one line each; what is wrong has its cause and remedy below it. */
import type { DoctorSummaryView, DoctorView, FindingView } from '../../protocol/views.ts';
import type { Colour, Paint } from './colour.ts';
import { oneLine } from './text.ts';

const MARKS: Readonly<Record<FindingView['level'], readonly [mark: string, colour: Colour]>> = {
  ok: ['ok', 'green'],
  warning: ['warning', 'yellow'],
  failure: ['FAILED', 'red'],
  skipped: ['-', 'dim'],
};
const LEVEL_WIDTH = 7;
const TITLE_WIDTH = 15;

interface TextOptions {
  host: string;
  paint: Paint;
}

/** Gives the text of one view after another; what was not looked at for one reason shares a line. */
export function createDoctorText(options: TextOptions): (view: DoctorView) => string {
  let skipped: { titles: string[]; detail: string } | undefined;
  const told = (): string => {
    if (skipped === undefined) return '';
    const { titles, detail } = skipped;
    skipped = undefined;
    const [mark, colour] = MARKS.skipped;
    return `${options.paint(colour, mark.padEnd(LEVEL_WIDTH))}  ${oneLine(detail)}: ${titles.join(', ')}\n`;
  };
  return (view) => {
    if (view.type === 'summary') return told() + summaryText(view, options.paint);
    if (view.level !== 'skipped') return told() + findingText(view, options);
    if (skipped?.detail === view.detail) {
      skipped.titles.push(view.title);
      return '';
    }
    const before = told();
    skipped = { titles: [view.title], detail: view.detail };
    return before;
  };
}

/** `ok       host key         ssh-ed25519 SHA256:…`, then why and what mends it. */
function findingText(finding: FindingView, { host, paint }: TextOptions): string {
  const { level, title, detail, cause, remedy, code } = finding;
  const [mark, colour] = MARKS[level];
  const head = `${paint(colour, mark.padEnd(LEVEL_WIDTH))}  ${title.padEnd(TITLE_WIDTH)}  `;
  const told = code === undefined ? detail : `${code}: ${detail}`;
  const below: [string, string | undefined][] = [
    ['cause', cause],
    [remedy === undefined ? '' : REMEDIES[remedy.how](host), remedy?.text],
  ];
  const indent = ' '.repeat(LEVEL_WIDTH + TITLE_WIDTH + 4);
  const lines = below.flatMap(([label, text]) =>
    text === undefined ? [] : [`${indent}${label}: ${oneLine(text)}\n`],
  );
  return `${head}${oneLine(told)}\n${lines.join('')}`;
}

const REMEDIES: Readonly<
  Record<NonNullable<FindingView['remedy']>['how'], (host: string) => string>
> = {
  here: () => 'run',
  host: (host) => `run on ${host}`,
  root: (host) => `run on ${host} as root`,
  ini: (host) => `write in [host.${host}]`,
  words: () => 'do',
};

/** `vm: 19 ok, 1 warning, 1 failure, 2 not looked at`. */
function summaryText(summary: DoctorSummaryView, paint: Paint): string {
  const { host, ok, warnings, failures, skipped } = summary;
  const parts = [
    paint('green', `${ok} ok`),
    warnings > 0 && paint('yellow', `${warnings} warning${warnings === 1 ? '' : 's'}`),
    failures > 0 && paint('red', `${failures} failure${failures === 1 ? '' : 's'}`),
    skipped > 0 && `${skipped} not looked at`,
  ];
  return `${host}: ${parts.filter((part) => part !== false).join(', ')}\n`;
}
