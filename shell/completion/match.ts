/** Which choices fit what is typed, in which order, and what they have in common. Pure. */
import type { Choice } from './types.ts';

/** More than anybody reads; the menu stays quick. */
export const maxChoices = 1_000;

/** Those that begin with it; where there are none, those that do in another case. */
export function matchPrefix(choices: readonly Choice[], typed: string): readonly Choice[] {
  const exact = choices.filter(({ value }) => value.startsWith(typed));
  if (exact.length > 0 || typed === '') return exact;
  const lower = typed.toLowerCase();
  return choices.filter(({ value }) => value.toLowerCase().startsWith(lower));
}

/** For numbers that people know by what they stand for: by value, else by a part of the description. */
export function matchDescribed(choices: readonly Choice[], typed: string): readonly Choice[] {
  const begun = matchPrefix(choices, typed);
  if (begun.length > 0 || /^\d*$/.test(typed)) return begun;
  const lower = typed.replace(/^%\??/, '').toLowerCase();
  return lower === '' ? [] : choices.filter(({ description = '' }) => description.toLowerCase().includes(lower));
}

let collator: Intl.Collator | undefined;

/** As `ls` and people count: n2 before n10. Upper and lower case are told apart only between equals. */
export function sortChoices(choices: readonly Choice[]): Choice[] {
  const { compare } = (collator ??= new Intl.Collator('en', { numeric: true }));
  return [...choices].sort((a, b) => compare(a.value, b.value) || (a.value < b.value ? -1 : 1));
}

/** Each value once: the first with its description. */
export function eachOnce(choices: readonly Choice[]): Choice[] {
  const seen = new Map<string, Choice>();
  for (const choice of choices) if (!seen.has(choice.value)) seen.set(choice.value, choice);
  return [...seen.values()];
}

/** The longest beginning of all of them, in whole characters. */
export function commonPrefix(values: readonly string[]): string {
  const [first = '', ...others] = values;
  let length = first.length;
  for (const value of others) {
    let same = 0;
    while (same < length && value[same] === first[same]) same++;
    length = same;
  }
  // Not between the halves of a surrogate pair.
  const last = first.charCodeAt(length - 1);
  return first.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}
