/** Text in one style. Styles are names; what they look like is the theme of whoever draws. */
export interface StyledRun {
  readonly text: string;
  /** Empty for none. */
  readonly style: string;
}

/** A style of a stretch of the text, [start, end) in UTF-16 offsets. */
export interface StyledSpan {
  readonly start: number;
  readonly end: number;
  readonly style: string;
}

/** Adds to the last run where that has the same style. */
export function appendRun(runs: { text: string; style: string }[], text: string, style: string): void {
  const last = runs.at(-1);
  if (last !== undefined && last.style === style) last.text += text;
  else if (text !== '') runs.push({ text, style });
}
