/** How much room a text takes in a font of one width, on a terminal or drawn: rather too much than too little. */

const PLAIN = /^[\x20-\x7e]*$/;
/** They stand on the character before them. */
const NO_ROOM = /[\p{Mn}\p{Me}\u200c\u200d]/u;
/** Scripts of East Asia, full-width forms and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{18aff}\u{1b000}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
/** Makes a picture of what comes before it, which is wider then. */
const AS_EMOJI = '\ufe0f';

/** Columns of a text without controls. */
export function columnsOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  return Array.from(text, columnsOfOne).reduce((sum, columns) => sum + columns, 0);
}

/** The text, or as much of its beginning as fits with an ellipsis; whole characters only. */
export function fitColumns(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  let room = columns - 1;
  let fitting = '';
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    room -= columnsOf(segment);
    if (room < 0) break;
    fitting += segment;
  }
  return columns < 1 ? '' : `${fitting}…`;
}

/** As padEnd, by columns. */
export function padColumns(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - columnsOf(text)));
}

function columnsOfOne(character: string): number {
  if (character === AS_EMOJI) return 1;
  if (NO_ROOM.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
