/** The words of a simple command line as a foreign shell shows it, up to the cursor. No grammar but quotes and the ends of commands. */
import { scanWord, type ScannedWord, type Unit } from './scan-word.ts';

export interface SplitLine {
  /** Words before the one at the cursor, unquoted. */
  readonly words: readonly string[];
  /** The word at the cursor; its source in the line. */
  readonly word: ScannedWord;
  readonly source: string;
}

export function splitLine(line: string): SplitLine {
  const words: Unit[][] = [];
  let current: Unit[] = [];
  let start = 0;
  for (const unit of scanWord(line).units) {
    const isPlain = unit.quoting === 'none' && !unit.escaped && unit.kind === 'text';
    if (!isPlain || !/[\s|;&(]/.test(unit.text)) {
      current.push(unit);
      continue;
    }
    if (current.length > 0) words.push(current);
    if (/[|;&(\n]/.test(unit.text)) words.length = 0;
    current = [];
    start = unit.end;
  }
  const texts = words.map((units) => units.map(({ text }) => text).join(''));
  // `VAR=value nsh …`
  const command = texts.findIndex((text) => !/^\w+=/.test(text));
  const source = line.slice(start);
  return { words: command === -1 ? [] : texts.slice(command), word: scanWord(source), source };
}
