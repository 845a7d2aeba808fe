/**
 * What a person sees of bytes written to a terminal: the few controls that the live table uses, lines that are too
 * long broken as terminals do it, and a resize that breaks and joins them again.
 */
import { columnsOf } from '../../src/domain/columns.ts';

const ESC = '\u001b';
const WORDS = new RegExp(`${ESC}\\[(\\??[\\d;]*)([A-Za-z])|[\r\n]|[^${ESC}\r\n]+`, 'gu');

interface Line {
  text: string;
}

export class Screen {
  /** From the first one ever shown; the last one is where the cursor is, or below it. */
  private lines: Line[] = [{ text: '' }];
  private row = 0;
  private column = 0;
  isCursorHidden = false;
  /** Lines that were longer than the window when they were written. */
  readonly tooLong: string[] = [];
  /** All that was ever printed, a piece a line. */
  readonly written: string[] = [];
  /** SGR codes that were used. */
  readonly colours = new Set<string>();
  /** How often the lines were drawn anew. */
  frames = 0;
  columns: number;

  constructor(columns: number) {
    this.columns = columns;
  }

  write(bytes: string): void {
    for (const [word, parameter = '', kind] of bytes.matchAll(WORDS)) {
      if (kind !== undefined) this.control(parameter, kind);
      else if (word === '\r') this.column = 0;
      else if (word === '\n') this.down();
      else this.print(word);
    }
  }

  /** A line that no longer fits goes on in the next row, as VTE, kitty and tmux have it. */
  resize(columns: number): void {
    const whole = this.lines;
    this.columns = columns;
    this.lines = whole.flatMap(({ text }) =>
      text === ''
        ? [{ text }]
        : (text.match(new RegExp(`.{1,${columns}}`, 'gu')) ?? []).map((part) => ({ text: part })),
    );
    this.row = this.lines.length - 1;
  }

  shown(): string[] {
    return this.lines.map(({ text }) => text.trimEnd());
  }

  private control(parameter: string, kind: string): void {
    if (kind === 'A') this.row = Math.max(0, this.row - Number(parameter || 1));
    else if (kind === 'J') {
      this.frames += 1;
      this.lines.length = this.row + 1;
      this.cut(this.column);
    } else if (kind === 'm') this.colours.add(parameter);
    else if (parameter === '?25') this.isCursorHidden = kind === 'l';
    else throw new Error(`a control that nobody expected: ${parameter}${kind}`);
  }

  /** What does not fit in a row goes on in the next one. */
  private print(text: string): void {
    this.cut(this.column);
    for (const character of text) {
      const line = this.lines[this.row] ?? { text: '' };
      this.lines[this.row] = line;
      if (columnsOf(line.text) + columnsOf(character) > this.columns) {
        this.tooLong.push(text);
        this.down();
        this.print(character);
        continue;
      }
      line.text += character;
      this.column = line.text.length;
    }
    this.written.push(this.lines[this.row]?.text ?? '');
  }

  private cut(column: number): void {
    const line = this.lines[this.row];
    if (line !== undefined) line.text = line.text.slice(0, column);
  }

  private down(): void {
    this.row += 1;
    this.column = 0;
    if (this.row === this.lines.length) this.lines.push({ text: '' });
  }
}
