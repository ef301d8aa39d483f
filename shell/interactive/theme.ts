/** How styles look: names that the layout and the highlighting give, as SGR codes. Pure. */
import type { StyledRun } from '../editor/styled-run.ts';
import type { HighlightStyle } from '../highlight/highlight-style.ts';

/** Codes by name; what is not here is drawn plain. */
const codes: Readonly<Partial<Record<string, string>>> = {
  suggestion: '90',
  command: '32',
  'command-missing': '31',
  builtin: '1;36',
  node: '1;35',
  'node-missing': '31;4',
  function: '36',
  keyword: '34',
  assignment: '33',
  string: '33',
  expansion: '35',
  redirection: '34',
  comment: '90',
  operator: '34',
  error: '31;4',
} satisfies Partial<Record<HighlightStyle | 'suggestion', string>>;

/** One row. Without colour the prompt's own bold and underline are all that is left. */
export function paintRuns(runs: readonly StyledRun[], colour: boolean): string {
  return runs.map(({ text, style }) => paintRun(text, style, colour)).join('');
}

function paintRun(text: string, style: string, colour: boolean): string {
  const sgr = style.startsWith('sgr:') ? style.slice(4) : (codes[style] ?? '');
  return sgr === '' || !colour ? text : `\u001b[${sgr}m${text}\u001b[0m`;
}
