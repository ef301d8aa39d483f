/** Choices that need nobody to be asked: signals, options, processes and jobs as they are known. Pure. */
import type { OptionSpec } from '../command.ts';
import { signalName } from '../../src/ids/signals.ts';
import type { KnownProcess } from './sources.ts';
import type { Choice } from './types.ts';

const lastNamedSignal = 31;

/** `TERM`, `SIGTERM` where that is how it begins, `-TERM` behind a dash. */
export function signalChoices(typed: string, dash: boolean): Choice[] {
  const bare = dash ? typed.slice(1) : typed;
  const prefix = (dash ? '-' : '') + (/^sig/i.test(bare) ? 'SIG' : '');
  const numbers = Array.from({ length: lastNamedSignal }, (_, index) => index + 1);
  return numbers.map((number) => ({ value: prefix + (signalName(number) ?? ''), description: `signal ${number}` }));
}

/** Short ones too behind a single dash. An argument is asked for by `=`, or by the blank behind a short one. */
export function optionChoices(typed: string, options: readonly OptionSpec[]): Choice[] {
  const isLong = typed.startsWith('--');
  return options.flatMap(({ short, long, argument, summary }): Choice[] => {
    const isOptional = argument?.startsWith('[') === true;
    const takes = argument !== undefined && !isOptional;
    const asLong =
      long === undefined
        ? []
        : [{ value: `--${long}${takes ? '=' : ''}`, description: summary, ...(takes ? { open: true } : {}) }];
    const asShort = short === undefined || isLong ? [] : [{ value: `-${short}`, description: summary }];
    return asShort.length > 0 && typed === '-' ? asShort : [...asShort, ...asLong];
  });
}

/** By GPID, or as `web1.4711` where that is how it begins. */
export function processChoices(typed: string, processes: readonly KnownProcess[]): Choice[] {
  const isNamed = /^[A-Za-z][\w-]*\./.test(typed) || /^\d+\./.test(typed);
  return processes.map(({ gpid, pid, node, command }) => {
    if (!isNamed) return { value: String(gpid), description: `${node}  ${command}` };
    const owner = /^\d/.test(typed) ? String(Math.floor(gpid / 10_000_000)) : node;
    return { value: `${owner}.${pid}`, description: command };
  });
}
