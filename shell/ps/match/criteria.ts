/** What pgrep and pkill are asked for, from their options: those of procps-ng 4, and --on. */
import { parseProcessName, type ProcessNameContext } from '../../../src/ids/process-name.ts';
import { NshError } from '../../../src/protocol/errors.ts';
import type { OptionSpec } from '../../command.ts';
import { parseOptions } from '../../getopt.ts';
import type { Row } from '../row.ts';
import { compileExtendedRegex } from './extended-regex.ts';
import { namespaceKinds, type NamespaceQuery } from './namespaces.ts';
import { readPidFile } from './pid-file.ts';

export const matchOptions: readonly OptionSpec[] = [
  { short: 'f', long: 'full', summary: 'match the whole command line' },
  { short: 'x', long: 'exact', summary: 'match the whole name' },
  { short: 'i', long: 'ignore-case', summary: 'match without regard to case' },
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
  { short: 'L', long: 'logpidfile', summary: 'fail where nobody has locked the file of -F' },
  { short: 'A', long: 'ignore-ancestors', summary: 'not the processes that led to this one' },
  { long: 'cgroup', argument: 'PATHS', summary: 'by control group (version 2)' },
  { long: 'ns', argument: 'PID', summary: 'in the same namespaces as that process, on its node' },
  { long: 'nslist', argument: 'NAMES', summary: 'which namespaces: cgroup,ipc,mnt,net,pid,time,user,uts' },
  { long: 'on', argument: 'NODESET', summary: 'only on these nodes' },
];

/** An option of procps that makes no sense here, with the reason. */
export type RefusedOption = OptionSpec & { readonly why: string };

const refused: readonly RefusedOption[] = [
  { short: 'q', long: 'queue', argument: 'VALUE', summary: '', why: 'nsh sends signals without a value' },
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
  /** Each thread instead of each process. */
  readonly threads: boolean;
  readonly namespaces: NamespaceQuery | undefined;
  readonly on: string | undefined;
  /** A name longer than the kernel keeps cannot match. */
  readonly tooLong: boolean;
  /** Options of the command's own table that were given: long name, value. */
  readonly own: ReadonlyMap<string, string>;
}

/**
 * @param extra options of the command besides those above, and those that it refuses.
 * @throws NshError `usage`, worded as procps words it.
 */
export function parseCriteria(
  args: readonly string[],
  extra: readonly (OptionSpec | RefusedOption)[],
  context: ProcessNameContext,
): MatchQuery {
  const { options, operands } = parseOptions([...matchOptions, ...extra, ...refused], args);
  const given = new Map<string, string>();
  const criteria: Criterion[] = [];
  for (const { option, value = '' } of options) {
    if (isRefused(option)) throw usage(`${optionName(option)}: ${option.why}`);
    given.set(option.long ?? '', value);
  }
  for (const { option, value = '' } of options) {
    const criterion = readCriterion(option.long ?? '', value, context, given);
    if (criterion !== undefined) criteria.push(criterion);
  }
  const namespaces = readNamespaces(given, context);
  if (given.has('logpidfile') && !given.has('pidfile')) throw usage('-L without -F makes no sense');
  const only = given.has('newest') ? 'newest' : given.has('oldest') ? 'oldest' : undefined;
  if ([given.has('newest'), given.has('oldest'), given.has('inverse')].filter(Boolean).length > 1) {
    throw usage('only one of -n, -o and -v can be given');
  }
  const [pattern, second] = operands;
  if (second !== undefined) throw usage('only one pattern can be provided');
  if (pattern === undefined && criteria.length === 0 && only === undefined && namespaces === undefined) {
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
    threads: given.has('lightweight'),
    namespaces,
    on: given.get('on'),
    tooLong: !full && pattern !== undefined && pattern.length > 15,
    own: given,
  };
}

function isRefused(option: OptionSpec | RefusedOption): option is RefusedOption {
  return 'why' in option;
}

function optionName({ short = '', long }: OptionSpec): string {
  return long === undefined ? `-${short}` : `--${long}`;
}

function readNamespaces(given: ReadonlyMap<string, string>, context: ProcessNameContext): NamespaceQuery | undefined {
  const kinds = namespaceKinds(given.get('nslist'));
  const pid = given.get('ns');
  return pid === undefined ? undefined : { gpid: parseProcessName(pid, context).gpid, kinds };
}

function readCriterion(
  option: string,
  value: string,
  context: ProcessNameContext,
  given: ReadonlyMap<string, string>,
): Criterion | undefined {
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
      return pidCriterion(readPidFile(value, given.has('logpidfile')), context, (row) => row.gpid);
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

function elapsedSeconds(row: Row): number {
  return Math.trunc(row.table.uptimeSeconds - (row.number('start') ?? 0) / 100);
}

function usage(message: string): NshError {
  return new NshError('usage', message);
}
