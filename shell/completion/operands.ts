/** What the operands of nsh's builtins are, and the arguments of options by the name that their table gives them. */
import { restartTypes, strategies } from '../../src/policy/supervision/spec.ts';
import { defaultShells } from './shells.ts';
import type { Choice, Want } from './types.ts';

const managed: Want = { kind: 'process', select: 'managed' };
const kept: Want = { kind: 'process', select: 'kept' };
const process: Want = { kind: 'process', select: 'all' };
const group: Want = { kind: 'group', form: 'name' };
const replica: Want = { kind: 'group', form: 'replica' };
const groupOrReplica: Want = { kind: 'group', form: 'group-or-replica' };
const job: Want = { kind: 'job' };
const nodeset: Want = { kind: 'nodeset', form: 'bare' };
const variable: Want = { kind: 'variable' };
const directory: Want = { kind: 'path', only: 'directory' };
const path: Want = { kind: 'path', only: 'any' };

/** @param position how many operands stand before. Undefined: nothing is known of this command's operands. */
export function operandWants(command: string, position: number): readonly Want[] | undefined {
  const first = (...wants: readonly Want[]): readonly Want[] => (position === 0 ? wants : []);
  switch (command) {
    case 'kill':
      return [replica, process, job];
    case 'attach':
      return first(replica, kept, job);
    case 'logs':
      return first(groupOrReplica, kept, job);
    case 'wait':
      return [replica, kept, job];
    case 'fg':
      return first(job, managed);
    case 'bg':
    case 'jobs':
    case 'disown':
      return [job];
    case 'nodes':
    case 'nodeset':
      return [nodeset];
    case 'on':
      return first(nodeset);
    case 'agent':
      return first(words('start', 'stop', 'status'));
    case 'store':
      return first(words('status'));
    case 'group':
      return position === 0 ? [words('start', 'ls', 'show', 'events', 'update', 'restart', 'stop', 'rm')] : [group];
    case 'node':
      return position === 0 ? [words('drain', 'undrain')] : position === 1 ? [nodeset] : [];
    case 'scale':
      return [{ kind: 'group', form: 'number' }];
    case 'cluster':
      return first(words('show', 'diff', 'apply'));
    case 'kv':
      return first(words('get', 'put', 'del', 'ls', 'watch'));
    case 'lock':
    case 'sem':
    case 'elect':
      return position === 1 ? [{ kind: 'command' }, path] : position === 0 ? [] : undefined;
    case 'barrier':
    case 'counter':
    case 'locks':
    case 'name':
      return [];
    case 'completion':
      return first(words(...defaultShells));
    case 'help':
      return first({ kind: 'builtin' });
    case 'man':
      return [
        words('nsh', 'nsh-agent', 'nsh-cluster', 'nsh-group', 'nsh-coordination', 'nsh-protocol'),
        { kind: 'command' },
      ];
    case 'cd':
    case 'pushd':
    case 'rmdir':
    case 'mkdir':
      return [directory];
    case 'export':
    case 'unset':
    case 'readonly':
    case 'declare':
    case 'typeset':
    case 'local':
    case 'read':
      return [variable];
    case 'trap':
      return position === 0 ? [] : [{ kind: 'signal', dash: false }];
    case 'type':
    case 'which':
    case 'hash':
      return [{ kind: 'command' }];
    case 'ps':
    case 'pgrep':
    case 'pkill':
    case 'top':
    case 'demo':
      return [];
    default:
      return undefined;
  }
}

/** @param argument as the table has it: `NODESET`, `VAR[=VALUE]`, `[SIGNAL]`. */
export function argumentWants(command: string, long: string | undefined, argument: string): readonly Want[] {
  switch (argument.replace(/^\[|\]$/g, '')) {
    case 'NODESET':
      return [nodeset];
    case 'PID':
      return [process];
    case 'SIGNAL':
      return [{ kind: 'signal', dash: false }];
    case 'DIR':
      return [directory];
    case 'FILE':
      return [path];
    case 'VAR[=VALUE':
      return [variable];
    case 'TYPE':
      return command === 'group' ? [words(...restartTypes)] : [];
    case 'STRATEGY':
      return [words(...strategies)];
    case 'GROUPS':
      return [{ kind: 'group', form: 'list' }];
    case 'PROBE':
      return [{ kind: 'word', words: probes }];
    case 'ACTION':
      return [words('keep', 'hup', 'kill')];
    case 'LIST':
      return command === 'ps' && (long === 'pid' || long === 'ppid' || long === 'sid') ? [process] : [];
    default:
      return [];
  }
}

const probes: readonly Choice[] = [
  { value: 'tcp:', description: 'something accepts connections at this port', open: true },
  { value: 'exec:', description: 'this command exits with 0', open: true },
  { value: 'log:', description: 'a line of the output matches this regular expression', open: true },
  { value: 'none', description: 'once it runs' },
];

function words(...values: readonly string[]): Want {
  return { kind: 'word', words: values.map((value): Choice => ({ value })) };
}
