/** docs/configuration.md and config/towline.example.ini: the table of keys as a page and as a file. */
import type { KeyRow } from '../../src/config/key-table.ts';
import { SECTIONS } from '../../src/config/keys.ts';
import { cell } from './errors.ts';

const INTRO = `# Configuration

<!-- Generated from src/config/keys.ts by scripts/docs.ts; do not edit. -->

Towline reads \`/etc/towline/towline.ini\` and then \`~/.config/towline/towline.ini\`; both may be missing. Where
both set a key, the later one wins, key by key. \`--config FILE\` or \`TOWLINE_CONFIG\` names one file that is
read instead. \`towline config check\` says what is wrong, \`towline config show\` prints every value and
where it comes from. The daemon reads the files again on SIGHUP; when they are wrong it keeps what it has.
[towline.example.ini](../config/towline.example.ini) has every key.

## Writing the file

- A line is \`[section]\`, \`key = value\`, or a comment that begins with \`#\` or \`;\`. Nothing is ignored: what
  is not understood is an error with its line, and all errors are told at once.
- A value ends with its line. Put it between single quotes when it holds \`;\`, \`#\` or a backslash before one of
  them: \`setup = '. /etc/profile; module load apptainer'\`. Between single quotes everything stands for itself,
  but no single quote can be inside; between double quotes write \`\\"\` for \`"\` and \`\\\\\` for \`\\\`.
- Secrets never go into the file; it holds paths only.

| Kind of value | What it takes |
|---|---|
| size | \`512 MiB\`, \`1.5G\`, \`100 MB\` or bytes; K, M, G, T and KiB … count by 1024, KB … by 1000 |
| duration | \`10s\`, \`5m\`, \`1h30m\`, \`7d\`, \`500ms\` or \`HH:MM:SS\` |
| path | absolute on the submit host; \`~\` and \`$HOME\` at the beginning are expanded |
| path on the host | absolute, or beginning with \`~\`, \`$HOME\` or \`$SCRATCH\`; \`$USER\` may be anywhere; expanded on the host |
| arguments | words with blanks between; \`'…'\` and \`"…"\` keep blanks in a word, a backslash takes the next character as it is, nothing is expanded |
| several by comma | \`a, b\`; an item cannot hold a comma |
`;

const EXAMPLE_INTRO = `# Towline: every key, with an example of its value.
# Generated from src/config/keys.ts by scripts/docs.ts; docs/configuration.md says how values are written.
# Copy what you need to ~/.config/towline/towline.ini, without the # at the beginning of the line, then:
#   towline config check
`;

/** The page: one table for each section. */
export function configurationMarkdown(): string {
  const sections = Object.entries(SECTIONS).map(([name, { doc, keys }]) => {
    const rows = Object.entries(keys).map(
      ([key, row]) =>
        `| \`${key}\` | ${cell(row.type.label)} | ${cell(otherwise(row, '`'))} | ${cell(row.doc)}${onlyFor(row)} | \`${row.example}\` |`,
    );
    return [
      `## [${name}]`,
      '',
      doc,
      '',
      '| Key | Takes | Default | Meaning | Example |',
      '|---|---|---|---|---|',
      ...rows,
    ].join('\n');
  });
  return `${INTRO}\n${sections.join('\n\n')}\n`;
}

/** The file: all keys commented out, so that it changes nothing as it is and loads with all of them in. */
export function exampleIni(): string {
  const sections = Object.entries(SECTIONS).map(([name, { doc, keys }]) => {
    const lines = Object.entries(keys).flatMap(([key, row]) => [
      ...comment(`${row.doc} Default: ${otherwise(row, '')}.`),
      `#${key} = ${exampleOf(name, key, row)}`,
    ]);
    const header = EXAMPLE_SECTIONS[name] ?? name;
    return [...comment(doc), `#[${header}]`, ...lines].join('\n');
  });
  return `${EXAMPLE_INTRO}\n${sections.join('\n\n')}\n\n${LOCAL_EXAMPLE}`;
}

/** Local hosts take fewer keys: an example of their own, so that the one above can show all of them. */
const LOCAL_EXAMPLE = `# This machine as a host; the keys about connections have no meaning for it.
#[host.here]
#type = local
#root = ~/.towline
`;

/** In the section that shows all keys the host has to be of the type that has them all. */
function exampleOf(section: string, key: string, row: KeyRow): string {
  return section === 'host.NAME' && key === 'type' ? 'ssh' : row.example;
}

const EXAMPLE_SECTIONS: Readonly<Record<string, string>> = {
  'host.NAME': 'host.vm',
  'partition.HOST.NAME': 'partition.vm.compute',
  'sbatch.HOST.NAME': 'sbatch.vm.big',
};

function onlyFor(row: KeyRow): string {
  if (row.slurmOnly === true) return ' With scheduler = slurm only.';
  return row.sshOnly === true ? ' For type ssh only.' : '';
}

function otherwise({ otherwise: rule }: KeyRow, quote: string): string {
  if ('default' in rule) return `${quote}${rule.default}${quote}`;
  return 'computed' in rule ? rule.computed : rule.absent;
}

function comment(text: string): string[] {
  const lines = text.match(/.{1,106}(?:\s|$)/g) ?? [];
  return lines.map((line) => `# ${line.trimEnd()}`);
}
