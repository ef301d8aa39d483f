/**
 * What a session changed, against the fresh environment of whatever node it runs on: pure. A step's report is compared with what the step was given; what differs
 * becomes a change, and changes go along to the next step, on this node or another.
 */
import { carriageOf } from './carried.ts';
import type { ByteText } from '../language/byte-text.ts';
import type { ShellFunction, Snapshot, Variable } from './snapshot.ts';

/** By name: the new value, or undefined for what the session took away. */
export type Changed<T> = ReadonlyMap<string, T | undefined>;

export interface ShellState {
  readonly status: number;
  readonly lastArgument: ByteText | undefined;
  readonly pipeStatus: readonly number[];
  /** Undefined: where a fresh session starts. */
  readonly directory: ByteText | undefined;
  readonly directories: readonly ByteText[];
  readonly umask: string | undefined;
  readonly positional: readonly ByteText[];
  readonly options: Changed<boolean>;
  readonly shopts: Changed<boolean>;
  readonly variables: Changed<Variable>;
  /** Those that stay with a node, by its name. */
  readonly nodeVariables: ReadonlyMap<string, Changed<Variable>>;
  readonly functions: Changed<ShellFunction>;
  readonly aliases: Changed<ByteText>;
  readonly traps: Changed<ByteText>;
  /** `ulimit`, by kind and letter. */
  readonly limits: Changed<string>;
  /** When `SECONDS` was 0, in seconds of the clock. */
  readonly secondsFrom: number | undefined;
}

export function freshState(positional: readonly ByteText[] = []): ShellState {
  return {
    status: 0,
    lastArgument: undefined,
    pipeStatus: [],
    directory: undefined,
    directories: [],
    umask: undefined,
    positional,
    options: new Map(),
    shopts: new Map(),
    variables: new Map(),
    nodeVariables: new Map(),
    functions: new Map(),
    aliases: new Map(),
    traps: new Map(),
    limits: new Map(),
    secondsFrom: undefined,
  };
}

export interface Origin {
  /** Name of the node where the step ran. */
  readonly node: string;
  /** The session is on that node, rather than having named it for one command. */
  readonly isCurrent: boolean;
  /** What a bash on that node starts with. */
  readonly fresh: Snapshot;
}

/** The session after a step that was given `state` and ended as `after`. */
export function absorb(state: ShellState, after: Snapshot, { node, isCurrent, fresh }: Origin): ShellState {
  const own = state.nodeVariables.get(node) ?? new Map<string, Variable | undefined>();
  const accept =
    (wanted: 'node' | 'always') =>
    (name: string): boolean => {
      const carriage = carriageOf(name);
      return carriage === wanted || (wanted === 'always' && carriage === 'fromCurrent' && isCurrent);
    };
  const { variables } = after;
  return {
    status: after.status,
    lastArgument: after.lastArgument,
    pipeStatus: after.pipeStatus,
    directory: after.directory === (state.directory ?? fresh.directory) ? state.directory : after.directory,
    directories: after.directories,
    umask: after.umask === (state.umask ?? fresh.umask) ? state.umask : after.umask,
    positional: after.positional,
    options: compare(state.options, fresh.options, after.options, same, (name) => !unsettable.has(name)),
    shopts: compare(state.shopts, fresh.shopts, after.shopts, same, (name) => !unsettable.has(name)),
    variables: compare(state.variables, fresh.variables, variables, sameVariable, accept('always')),
    nodeVariables: new Map([
      ...state.nodeVariables,
      [node, compare(own, fresh.variables, variables, sameVariable, accept('node'))],
    ]),
    functions: compare(state.functions, fresh.functions, after.functions, sameFunction),
    aliases: compare(state.aliases, fresh.aliases, after.aliases, same),
    // A DEBUG trap would run for nsh's own commands too; any other would run here what another machine wrote.
    traps: !isCurrent ? state.traps : compare(state.traps, fresh.traps, after.traps, same, (name) => name !== 'DEBUG'),
    // A machine's own matter, and one that could make a session unusable.
    limits: isCurrent ? compare(state.limits, fresh.limits, after.limits, same) : state.limits,
    secondsFrom: after.secondsFrom,
  };
}

/** Bash refuses to set these, or a session would not survive them. */
const unsettable: ReadonlySet<string> = new Set(['login_shell', 'restricted_shell', 'noexec', 'onecmd', 'privileged']);

function compare<T>(
  changes: Changed<T>,
  fresh: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
  equal: (a: T, b: T) => boolean,
  accepts: (name: string) => boolean = () => true,
): Changed<T> {
  const result = new Map(changes);
  for (const name of new Set([...changes.keys(), ...fresh.keys(), ...after.keys()])) {
    if (!accepts(name)) continue;
    const given = changes.has(name) ? changes.get(name) : fresh.get(name);
    const now = after.get(name);
    const unchanged = given === undefined || now === undefined ? given === now : equal(given, now);
    if (!unchanged) result.set(name, now);
  }
  return result;
}

const same = <T>(a: T, b: T): boolean => a === b;

function sameFunction(a: ShellFunction, b: ShellFunction): boolean {
  return a.text === b.text && a.attributes === b.attributes;
}

function sameVariable(a: Variable, b: Variable): boolean {
  if (a.attributes !== b.attributes) return false;
  if (typeof a.value === 'string' || typeof b.value === 'string') return a.value === b.value;
  if (a.value === undefined || b.value === undefined) return a.value === b.value;
  const others = b.value;
  return (
    a.value.length === others.length &&
    a.value.every(([subscript, element], i) => subscript === others[i]?.[0] && element === others[i][1])
  );
}
