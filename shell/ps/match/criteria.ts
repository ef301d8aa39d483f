/** What pgrep and pkill are asked for, from their options: those of procps-ng 4, and --on. */
import { readFileSync } from 'node:fs';
import { parseProcessName, type ProcessNameContext } from '../../../src/ids/process-name.ts';
import { NshError } from '../../../src/protocol/errors.ts';
import type { OptionSpec } from '../../command.ts';
import { parseOptions } from '../../getopt.ts';
import type { Row } from '../row.ts';
import { compileExtendedRegex } from './extended-regex.ts';

export const matchOptions: readonly OptionSpec[] = [
  { short: 'f', long: 'full', summary: 'match the whole command line' },
  { short: 'x', long: 'exact', summary: 'match the whole name' },
  { short: 'i', long: 'ignore-case', summary: 'match without regard to case' },
  { short: 'v', long: 'inverse', summary: 'those that do not match' },
  { short: 'c', long: 'count', summary: 'count them' },
  { short: 'n', long: 'newest', summary: 'only the one that was started last' },
  { short: 'o', long: 'oldest', summary: 'only the one that was started first' },
  { short: 'O', long: 'older', argument: 'SECONDS', summary: 'older than that' },
  { short: 'u', long: 'euid', argument: 'USERS', summary: 'by effective user' },
  { short: 'U', long: 'uid', argument: 'USERS', summary: 'by real user' },
  { short: 'G', long: 'group', argument: 'GROUPS', summary: 'by real group' },
  { short: 'P', long: 'parent', argument: 'PIDS', summary: 'by parent' },
  { short: 'g', long: 'pgroup', argument: 'PIDS', summary: 'by process group; 0: our own' },
  { short: 's', long: 'session', argument: 'PIDS', summary: 'by session; 0: our own' },
  { short: 't', long: 'terminal', argument: 'TTYS', summary: 'by controlling terminal' },
  { short: 'r', long: 'runstates', argument: 'STATES', summary: 'by state: D,R,S,T,Z' },
  { short: 'F', long: 'pidfile', argument: 'FILE', summary: 'only the process whose PID that file holds' },
  { short: 'A', long: 'ignore-ancestors', summary: 'not the processes that led to this one' },
  { long: 'cgroup', argument: 'PATHS', summary: 'by control group (version 2)' },
  { long: 'on', argument: 'NODESET', summary: 'only on these nodes' },
];

/** procps's options that make no sense here, with the reason. */
const refused: readonly (OptionSpec & { readonly why: string })[] = [
  { short: 'w', long: 'lightweight', summary: '', why: 'nsh matches processes, not threads' },
  { short: 'L', long: 'logpidfile', summary: '', why: 'a lock on a file says nothing of processes of other nodes' },
  { short: 'q', long: 'queue', argument: 'VALUE', summary: '', why: 'nsh sends signals without a value' },
  { long: 'ns', argument: 'PID', summary: '', why: 'namespaces are those of one node; use ps -o pidns' },
  { long: 'nslist', argument: 'NAMES', summary: '', why: 'namespaces are those of one node; use ps -o pidns' },
];

/** One question asked of every row. */
export type Criterion = (row: Row, self: Row | undefined) => boolean;

export interface MatchQuery {
  readonly criteria: readonly Criterion[];
  readonly pattern: RegExp | undefined;
  /** Match `args`, not `comm`. */
  readonly full: boolean;
  readonly inverse: boolean;
  readonly count: boolean;
  /** Only one process of all. */
  readonly only: 'newest' | 'oldest' | undefined;
  readonly ignoreAncestors: boolean;
  readonly on: string | undefined;
  /** A name longer than the kernel keeps cannot match. */
  readonly tooLong: boolean;
  /** Options of the command's own table that were given: long name, value. */
  readonly own: ReadonlyMap<string, string>;
}

/**
 * @param extra options of the command besides those above.
 * @throws NshError `usage`, worded as procps words it.
 */
export function parseCriteria(
  args: readonly string[],
  extra: readonly OptionSpec[],
  context: ProcessNameContext,
): MatchQuery {
  const { options, operands } = parseOptions([...matchOptions, ...extra, ...refused], args);
  const given = new Map<string, string>();
  const criteria: Criterion[] = [];
  for (const { option, value = '' } of options) {
    const unfit = refused.find((known) => known === option);
    if (unfit !== undefined) throw usage(`--${unfit.long}: ${unfit.why}`);
    given.set(option.long ?? '', value);
    const criterion = readCriterion(option.long ?? '', value, context);
    if (criterion !== undefined) criteria.push(criterion);
  }
  const only = given.has('newest') ? 'newest' : given.has('oldest') ? 'oldest' : undefined;
  if ([given.has('newest'), given.has('oldest'), given.has('inverse')].filter(Boolean).length > 1) {
    throw usage('only one of -n, -o and -v can be given');
  }
  const [pattern, second] = operands;
  if (second !== undefined) throw usage('only one pattern can be provided');
  if (pattern === undefined && criteria.length === 0 && only === undefined) {
    throw usage('no matching criteria specified');
  }
  const full = given.has('full');
  return {
    criteria,
    pattern:
      pattern === undefined
        ? undefined
        : compileExtendedRegex(pattern, { ignoreCase: given.has('ignore-case'), exact: given.has('exact') }),
    full,
    inverse: given.has('inverse'),
    count: given.has('count'),
    only,
    ignoreAncestors: given.has('ignore-ancestors'),
    on: given.get('on'),
    tooLong: !full && pattern !== undefined && pattern.length > 15,
    own: given,
  };
}

function readCriterion(option: string, value: string, context: ProcessNameContext): Criterion | undefined {
  switch (option) {
    case 'euid':
      return nameCriterion(items(value), 'euser', 'euid');
    case 'uid':
      return nameCriterion(items(value), 'ruser', 'ruid');
    case 'group':
      return nameCriterion(items(value), 'rgroup', 'rgid');
    case 'parent':
      return pidCriterion(value, context, (row) => row.parent);
    case 'pgroup':
      return pidCriterion(value, context, (row) => row.cluster('pgrp'));
    case 'session':
      return pidCriterion(value, context, (row) => row.cluster('session'));
    case 'pidfile':
      return pidCriterion(readPidFile(value), context, (row) => row.gpid);
    case 'terminal': {
      const names = new Set(items(value).map((name) => name.replace(/^\/dev\//, '')));
      return (row) => names.has(row.text('tty') ?? '');
    }
    case 'runstates':
      return (row) => value.includes(row.text('state') ?? ' ');
    case 'older': {
      const seconds = Number.parseInt(value, 10) || 0;
      return (row) => seconds === 0 || elapsedSeconds(row) >= seconds;
    }
    case 'cgroup': {
      const paths = new Set(items(value).map((path) => `0::${path}`));
      return (row) =>
        row
          .text('cgroup')
          ?.split('\n')
          .some((line) => paths.has(line)) ?? false;
    }
    default:
      return undefined;
  }
}

function items(value: string): string[] {
  if (value === '') throw usage('empty list');
  return value.split(',');
}

function nameCriterion(
  names: readonly string[],
  name: 'euser' | 'ruser' | 'rgroup',
  id: 'euid' | 'ruid' | 'rgid',
): Criterion {
  return (row) => names.some((wanted) => wanted === row.text(name) || wanted === String(row.number(id)));
}

/** 0 stands for the group or session of this very process. */
function pidCriterion(list: string, context: ProcessNameContext, pidOf: (row: Row) => number | null): Criterion {
  const wanted = items(list).map((item) => (item === '0' ? undefined : parseProcessName(item, context).gpid));
  return (row, self) => {
    const pid = pidOf(row);
    return wanted.some((each) => (each === undefined ? self !== undefined && pid === pidOf(self) : pid === each));
  };
}

function readPidFile(path: string): string {
  let text = '';
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch {
    // told below, with what else may be wrong with it
  }
  const [pid = ''] = text.split(/\s/);
  if (!/^[\w.-]*\d$/.test(pid) || pid === '0') throw new NshError('noSuchProcess', `pidfile not valid: ${path}`);
  return pid;
}

function elapsedSeconds(row: Row): number {
  return Math.trunc(row.table.uptimeSeconds - (row.number('start') ?? 0) / 100);
}

function usage(message: string): NshError {
  return new NshError('usage', message);
}
