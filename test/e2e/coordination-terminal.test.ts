/** `nsh lock` at a terminal: the command has it, as it would without nsh. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { NshTerminal } from './nsh-terminal.ts';
import { OneMachine } from './one-machine.ts';

let machine: OneMachine;
const terminals: NshTerminal[] = [];
const open = (...args: readonly string[]): NshTerminal => {
  const terminal = new NshTerminal(args, machine.env);
  terminals.push(terminal);
  return terminal;
};

beforeAll(async () => {
  machine = new OneMachine();
  await machine.nsh('counter', 'warm', '+1');
});
afterEach(({ task }) => machine.cleanAfter(task));
afterEach(async () => {
  for (const terminal of terminals.splice(0)) await terminal.close();
});
afterAll(async () => {
  await machine.stop();
});

it('reads the keyboard, and hears C-c once', async () => {
  const script = 'trap "echo heard" INT; echo ready; read -r a; echo "got $a"; read -r b; echo "then $b"; exit 3';
  const terminal = open('lock', 'x', '--', 'bash', '-c', script);
  await terminal.untilShown('ready');
  terminal.type('\u0003');
  await terminal.untilShown('heard');
  terminal.type('one\n');
  await terminal.untilShown('one\r\n');
  terminal.type('two\n');
  expect(await terminal.status()).toBe(3);
  expect(terminal.shown.split('heard')).toHaveLength(2);
});

it('tells for whom it waits, and leaves the queue at C-c', async () => {
  const holder = machine.spawn('lock', 'x', 'sh', '-c', 'echo has it; read x');
  await holder.untilStdout('has it');
  const waiter = open('lock', 'x', 'true');
  await waiter.untilShown(`waiting for lock 'x', which ${holder.child.pid} on `);
  expect((await machine.nsh('locks', '--no-headers')).stdout.match(/holds|waits/g)).toEqual(['holds', 'waits']);
  waiter.type('\u0003');
  await expect
    .poll(async () => (await machine.nsh('locks', '--no-headers')).stdout.match(/holds|waits/g), { timeout: 10_000 })
    .toEqual(['holds']);
  holder.child.stdin.end('\n');
  expect((await holder.end()).status).toBe(0);
});
