/** Which program a text ends in. Pure, and a guess: nothing but comfort hangs on it. */

/** The program that the last command of a text runs, as far as its words tell. */
export function programOf(text: string): string {
  const commands = text.replace(/[\s;)}]+$/, '').split(/\|&?|;|&&?|\n/);
  const last = commands.at(-1) ?? '';
  const words = last.trim().split(/\s+/);
  const first = words.find((word) => !/^(?:\w+=|[({!]|sudo$|env$|exec$|command$|time$|nice$)/.test(word)) ?? '';
  return first.replace(/^.*\//, '').replaceAll(/["'\\]/g, '');
}
