/** One style for each unit of a text, later paint over earlier; then the same as spans. */
import type { StyledSpan } from '../editor/styled-run.ts';
import { type HighlightStyle, highlightStyles } from './highlight-style.ts';

const numbers = new Map<HighlightStyle, number>(highlightStyles.map((style, index) => [style, index + 1]));

export class Paint {
  readonly #units: Uint8Array;

  constructor(length: number) {
    this.#units = new Uint8Array(length);
  }

  /** `undefined` takes away what was there. Whatever lies outside of the text is left out. */
  add(start: number, end: number, style: HighlightStyle | undefined): void {
    const from = Math.max(0, start);
    if (from < end) this.#units.fill(style === undefined ? 0 : (numbers.get(style) ?? 0), from, end);
  }

  /** Only where nothing was painted. */
  addToBare(start: number, end: number, style: HighlightStyle): void {
    const number = numbers.get(style) ?? 0;
    for (let at = Math.max(0, start); at < Math.min(end, this.#units.length); at++) {
      if (this.#units[at] === 0) this.#units[at] = number;
    }
  }

  isBare(at: number): boolean {
    return this.#units[at] === 0;
  }

  /** Plain words are no spans: nothing is to be done for them. */
  spans(): StyledSpan[] {
    const spans: StyledSpan[] = [];
    let start = 0;
    for (let at = 1; at <= this.#units.length; at++) {
      const number = this.#units[start] ?? 0;
      if (at < this.#units.length && this.#units[at] === number) continue;
      const style = highlightStyles[number - 1];
      if (style !== undefined && style !== 'plain') spans.push({ start, end: at, style });
      start = at;
    }
    return spans;
  }
}
