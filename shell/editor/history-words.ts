/** Words of a history entry, quotes kept, operators as words of their own: what M-. and vi's `_` take. Any text has some splitting. */

const operators = ['<<<', '<<-', '&>>', ';;&', '&&', '||', ';;', ';&', '<<', '>>', '<&', '>&', '<>', '>|', '|&', '&>'];

export function wordsOf(text: string): string[] {
  const words: string[] = [];
  let at = 0;
  while (at < text.length) {
    const character = text.charAt(at);
    if (/\s/.test(character)) {
      at++;
      continue;
    }
    const end = isOperator(text, at) ? operatorEnd(text, at) : wordEnd(text, at);
    words.push(text.slice(at, end));
    at = end;
  }
  return words;
}

function isOperator(text: string, at: number): boolean {
  const character = text.charAt(at);
  if ((character === '<' || character === '>') && text.charAt(at + 1) === '(') return false;
  return /[;&|<>()]/.test(character);
}

function operatorEnd(text: string, at: number): number {
  const operator = operators.find((candidate) => text.startsWith(candidate, at));
  return at + (operator?.length ?? 1);
}

function wordEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length) {
    const character = text.charAt(at);
    if (character === '\\') at += 2;
    else if (character === "'" || character === '"' || character === '`') at = quoteEnd(text, at, character);
    else if (/[$<>]/.test(character) && /[({]/.test(text.charAt(at + 1))) at = bracketEnd(text, at + 1);
    else if (/\s/.test(character) || isOperator(text, at)) break;
    else at++;
  }
  return Math.min(at, text.length);
}

function quoteEnd(text: string, start: number, quote: string): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text.charAt(at) === '\\' && quote !== "'") at++;
    else if (text.charAt(at) === quote) return at + 1;
  }
  return text.length;
}

/** Behind the bracket that closes the one at `start`. */
function bracketEnd(text: string, start: number): number {
  const open = text.charAt(start);
  const close = open === '(' ? ')' : '}';
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const character = text.charAt(at);
    if (character === '\\') at += 2;
    else if (character === "'" || character === '"') at = quoteEnd(text, at, character);
    else {
      if (character === open) depth++;
      if (character === close && --depth === 0) return at + 1;
      at++;
    }
  }
  return text.length;
}
