/**
 * HTML and SVG in which every text that is put in is escaped: what comes from files and hosts cannot become
 * markup, nor hide or turn what stands around it. Pure.
 */
import { escapeControls } from '../domain/shown.ts';

/** Text that is markup already. Only `markup` makes it. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | Markup | undefined | readonly Value[];

/** A template: what stands in it is markup, what is put in is text, unless it is markup itself. */
export function markup(parts: TemplateStringsArray, ...values: Value[]): Markup {
  const pieces = parts.flatMap((part, index) => [part, shownIn(values[index])]);
  return new Markup(pieces.join(''));
}

function shownIn(value: Value): string {
  if (value === undefined) return '';
  if (value instanceof Markup) return value.text;
  if (typeof value === 'object') return value.map(shownIn).join('');
  return escapeText(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Controls and marks of direction are shown as such; XML has no word for the last two characters. */
function escapeText(text: string): string {
  return escapeControls(text)
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
    .replaceAll(/[\ufffe\uffff]/g, '\ufffd');
}
