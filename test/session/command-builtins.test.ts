import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import type { OwnedContext } from '../../shell/context.ts';
import { commandBuiltins } from '../../shell/session/command-builtins.ts';
import { NshError } from '../../src/protocol/errors.ts';

const broken = new NshError('cancelled', 'ended by SIGINT', { data: { signal: 'SIGINT' } });

it.each([
  ['a Ctrl-C ends a builtin as it ends a program, without a word', broken, { status: 130, said: '' }],
  [
    'another failure is said',
    new NshError('unreachable', 'n1: no'),
    { status: new NshError('unreachable', '').exitStatus, said: 'nsh group: n1: no\n' },
  ],
])('%s', async (_title, error, wanted) => {
  const stderr = new PassThrough();
  const context: OwnedContext = {
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr,
    terminal: { columns: undefined, rows: undefined, colour: false },
    env: {},
    cwd: '/',
    clusterSpec: () => Promise.reject(error),
    cluster: () => Promise.reject(error),
    signal: new AbortController().signal,
    close: () => {},
  };
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr };
  const around = { cwd: '/', env: {}, signal: new AbortController().signal };
  const status = await commandBuiltins(context).run('group', ['ls'], streams, around);
  const said = stderr.read() as Buffer | null;
  expect({ status, said: said?.toString() ?? '' }).toEqual(wanted);
});
