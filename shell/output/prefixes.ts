/** What stands before the output of each node: `web1: `. On a terminal aligned, and coloured where colour may be used. Pure. */

export interface PrefixStyle {
  readonly aligned: boolean;
  readonly colour: boolean;
}

/** Colours that can be read on light and on dark ground, and that do not look like an error. */
const colours = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94] as const;

/** @returns the prefix of each name, in order. */
export function makePrefixes(names: readonly string[], style: PrefixStyle): string[] {
  const width = style.aligned ? Math.max(0, ...names.map((name) => name.length)) : 0;
  return names.map((name, index) => {
    const blanks = ' '.repeat(Math.max(0, width - name.length) + 1);
    const label = `${name}:`;
    return style.colour ? `\u001b[${colours[index % colours.length]}m${label}\u001b[m${blanks}` : `${label}${blanks}`;
  });
}
