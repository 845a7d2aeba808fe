/** docs/errors.md: the error registry as a page. */
import { ERROR_CODES, ERRORS } from '../../src/domain/error-registry.ts';

const INTRO = `# Errors

<!-- Generated from src/domain/error-registry.ts by scripts/docs.ts; do not edit. -->

Every failure has a code that stays the same from version to version, a message (what failed, on what, the
reason as told) and a hint (what to type next). Words in braces stand for names from the failure at hand.

- **Retry**: \`never\`: the same will fail again; \`later\`: the world may change by itself, Towline tries
  again where it can; \`after-fix\`: somebody has to act first.
- **Exit**: what a \`towline\` command exits with when it fails with this code; \`towline run\` exits with 125
  for every failure that is not the command's own.
- **HTTP**: the status of the response; 200 where the failure is part of a task's record.
`;

/** The page: the codes in the order of the registry, under the word each begins with. */
export function errorsMarkdown(): string {
  const groups = Map.groupBy(ERROR_CODES, (code) => code.split('_')[0] ?? code);
  const sections = [...groups].map(([group, codes]) => {
    const rows = codes.map((code) => {
      const { what, retry, exit, http, hint } = ERRORS[code];
      return `| \`${code}\` | ${cell(what)} | ${retry} | ${exit} | ${http} | ${cell(hint)} |`;
    });
    return [
      `## ${group}`,
      '',
      '| Code | When | Retry | Exit | HTTP | What to do |',
      '|---|---|---|---|---|---|',
      ...rows,
    ].join('\n');
  });
  return `${INTRO}\n${sections.join('\n\n')}\n`;
}

/** Text for a table cell: a bar would end the cell. */
export function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
