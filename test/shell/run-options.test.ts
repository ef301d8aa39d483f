import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../../shell/commands/run.ts';
import { summaries } from '../../shell/commands/index.ts';
import { parseRunOptions } from '../../shell/run/options.ts';
import { makeRunParams, passesStdin, usesTerminal, type RunSurroundings } from '../../shell/run/request.ts';
import { formatDuration, parseDuration, parseSize } from '../../shell/run/values.ts';
import { methods } from '../../src/protocol/control.ts';
import { burden, chooseNode, type Load } from '../../src/policy/placement/choose-node.ts';

const terminal: RunSurroundings = {
  stdinIsTerminal: true,
  stdoutIsTerminal: true,
  size: { cols: 100, rows: 30 },
  term: 'xterm',
  cwd: '/here',
  isThisMachineAlone: false,
  nodeCount: 1,
};
const pipes: RunSurroundings = { ...terminal, stdinIsTerminal: false, stdoutIsTerminal: false, size: undefined };
const starter = { gpid: 1, user: 'u', host: 'h' };

function params(args: string[], here: RunSurroundings, env: Record<string, string> = {}): Record<string, unknown> {
  const options = parseRunOptions(args, env);
  return makeRunParams(options, here, starter, options.detached ? undefined : 'client-1');
}

describe('the options of run', () => {
  it('end at the first operand', () => {
    const options = parseRunOptions(['-n', 'web1', 'ls', '-n', '--all'], {});
    expect(options.argv).toEqual(['ls', '-n', '--all']);
    expect(options.nodeset).toBe('web1');
    expect(parseRunOptions(['--', '-x'], {}).argv).toEqual(['-x']);
  });

  it.each([
    [[], /no command/],
    [['-n', 'a', '--all', 'ls'], /exclude each other/],
    [['-d', '-b', 'ls'], /no output to fold/],
    [['--keep', '1X', 'ls'], /invalid size/],
    [['--timeout', 'soon', 'ls'], /invalid duration/],
    [['--on-disconnect', 'stay', 'ls'], /keep, hup or kill/],
    [['-e', '=x', 'ls'], /names no variable/],
    [['-e', 'UNSET', 'ls'], /UNSET is not set here/],
    [['--detach-keys', 'F1', 'ls'], /is no key/],
    [['--nonsense', 'ls'], /unrecognized option/],
    [['--name', 'x'.repeat(129), 'ls'], /^the argument of --name has 129 characters; 128 is the most$/],
    [['-C', '/'.repeat(4097), 'ls'], /^the argument of --directory has 4097 characters/],
    [['--timeout', '0', 'ls'], /invalid duration/],
    [['--timeout', '0.2ms', 'ls'], /invalid duration/],
    [['--keep', '99999999T', 'ls'], /invalid size/],
  ])('%j are refused', (args, message) => {
    expect(() => parseRunOptions(args, {})).toThrow(expect.objectContaining({ code: 'usage', exitStatus: 2 }));
    expect(() => parseRunOptions(args, {})).toThrow(message);
  });

  it('join several nodesets and take variables from here', () => {
    const options = parseRunOptions(['-n', 'a', '-n', 'b', '-e', 'X=1=2', '-e', 'HOME', 'ls'], { HOME: '/h' });
    expect(options.nodeset).toBe('a,b');
    expect(options.env).toEqual({ X: '1=2', HOME: '/h' });
  });

  it('are summed up in the list of commands as the command itself is', () => {
    expect(Object.fromEntries(summaries)[runCommand.name]).toBe(runCommand.summary);
  });
});

describe('a run request', () => {
  it('keeps within the bounds of the protocol with every option at its limit', () => {
    const options = ['--name', 'n'.repeat(128), '-C', 'd'.repeat(4096), '--keep', '1.3K', '--timeout', '1.5ms', 'ls'];
    const { params: schema } = methods.run;
    expect(v.safeParse(schema, params(options, pipes)).issues).toBeUndefined();
    expect(v.safeParse(schema, params([...options.slice(0, 6), '--keep', '8191T', 'ls'], pipes)).success).toBe(true);
  });

  it('asks for a terminal where somebody sits at one', () => {
    const asked = (args: string[], here: RunSurroundings): boolean => usesTerminal(parseRunOptions(args, {}), here);
    expect(asked(['sh'], terminal)).toBe(true);
    expect(asked(['sh'], { ...terminal, stdoutIsTerminal: false })).toBe(false);
    expect(asked(['sh'], { ...terminal, stdinIsTerminal: false })).toBe(false);
    expect(asked(['-d', 'sh'], terminal)).toBe(false);
    expect(asked(['-b', 'sh'], terminal)).toBe(false);
    expect(asked(['sh'], { ...terminal, nodeCount: 2 })).toBe(false);
    expect(asked(['-T', 'sh'], terminal)).toBe(false);
    expect(asked(['-t', 'sh'], pipes)).toBe(true);
    expect(asked(['-t', '-d', 'sh'], pipes)).toBe(true);
  });

  it('has the defaults of a terminal, of pipes and of -d', () => {
    expect(params(['sh'], terminal)).toMatchObject({
      io: 'pty',
      pty: { cols: 100, rows: 30, term: 'xterm' },
      keepBytes: 8 * 1024 * 1024,
      onDisconnect: 'keep',
      foreground: 'client-1',
    });
    expect(params(['sh'], pipes)).toMatchObject({
      io: 'pipes',
      stdin: 'stream',
      keepBytes: 65_536,
      onDisconnect: 'hup',
    });
    const detached = params(['-d', 'sh'], terminal);
    expect(detached).toMatchObject({ io: 'pipes', stdin: 'null', keepBytes: 8 * 1024 * 1024, onDisconnect: 'keep' });
    expect(detached).not.toHaveProperty('foreground');
    expect(params(['--keep', 'none', '--on-disconnect=kill', '--timeout=5m', 'sh'], pipes)).toMatchObject({
      keepBytes: 0,
      onDisconnect: 'kill',
      timeoutMs: 300_000,
    });
  });

  it('starts in the home directory of another host, and here on this machine alone', () => {
    expect(params(['sh'], pipes)).not.toHaveProperty('cwd');
    expect(params(['-C', 'sub', 'sh'], pipes)['cwd']).toBe('sub');
    const alone = { ...pipes, isThisMachineAlone: true };
    expect(params(['sh'], alone)['cwd']).toBe('/here');
    expect(params(['-C', 'sub', 'sh'], alone)['cwd']).toBe('/here/sub');
  });

  it('passes stdin to one process, to many only what is piped in', () => {
    const passes = (args: string[], here: RunSurroundings): boolean => passesStdin(parseRunOptions(args, {}), here);
    expect(passes(['cat'], terminal)).toBe(true);
    expect(passes(['cat'], { ...terminal, nodeCount: 3 })).toBe(false);
    expect(passes(['cat'], { ...pipes, nodeCount: 3 })).toBe(true);
    expect(passes(['--no-stdin', 'cat'], pipes)).toBe(false);
    expect(passes(['-d', 'cat'], pipes)).toBe(false);
  });
});

describe('values', () => {
  it.each([
    ['0', 0],
    ['none', 0],
    ['500', 500],
    ['64K', 65_536],
    ['8m', 8_388_608],
    ['1.5G', 1_610_612_736],
    ['2MiB', 2_097_152],
    ['2kb', 2048],
  ])('the size %s is %i bytes', (text, bytes) => expect(parseSize(text, '--keep')).toBe(bytes));

  it.each([
    ['30s', 30_000],
    ['30', 30_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['0.5s', 500],
    ['1d', 86_400_000],
  ])('the duration %s is %i ms', (text, ms) => expect(parseDuration(text, '--timeout')).toBe(ms));

  it.each(['30s', '5m', '1h30m', '250ms', '1d', '1s500ms'])('the duration %s is said as it is typed', (text) => {
    expect(formatDuration(parseDuration(text, '--timeout'))).toBe(text);
  });

  it.each(['', '-1', '1 s', 's', '0', '1x', '5m!'])('%j is no duration', (text) => {
    expect(() => parseDuration(text, '--timeout')).toThrow(/invalid duration/);
  });
});

describe('placement', () => {
  const load = (more: Partial<Load>): Load => ({
    cpus: 4,
    load1: 0,
    memTotalKb: 8_000_000,
    memAvailableKb: 6_000_000,
    managed: 0,
    ...more,
  });
  const choose = (loads: Record<string, Load>, random = 0): string | undefined =>
    chooseNode(
      Object.entries(loads).map(([node, info]) => ({ node, info })),
      () => random,
    );

  it('takes the node with the least load for each processor', () => {
    expect(choose({ a: load({ load1: 2 }), b: load({ load1: 3, cpus: 16 }), c: load({ load1: 1, cpus: 1 }) })).toBe(
      'b',
    );
  });

  it('counts what nsh has just started, which the load average does not show yet', () => {
    expect(choose({ a: load({ managed: 8 }), b: load({ managed: 0, load1: 0.2 }) })).toBe('b');
  });

  it('avoids a node short of memory unless all are', () => {
    const tight = load({ memAvailableKb: 100_000 });
    expect(choose({ a: tight, b: load({ load1: 9 }) })).toBe('b');
    expect(choose({ a: tight, b: load({ memAvailableKb: 100_000, load1: 9 }) })).toBe('a');
  });

  it('spreads over equals by chance', () => {
    const equals = { a: load({}), b: load({ load1: 0.1 }), c: load({}) };
    expect([0, 0.4, 0.99].map((random) => choose(equals, random))).toEqual(['a', 'b', 'c']);
  });

  it('has no answer where there is no node, and a finite burden for odd numbers', () => {
    expect(choose({})).toBeUndefined();
    expect(burden(load({ cpus: 0, memTotalKb: 0 }))).toBe(0);
  });
});
