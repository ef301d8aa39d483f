import { describe, expect, it } from 'vitest';
import { barrierCommand } from '../../../shell/commands/barrier.ts';
import { counterCommand } from '../../../shell/commands/counter.ts';
import { electCommand } from '../../../shell/commands/elect.ts';
import { kvCommand } from '../../../shell/commands/kv.ts';
import { lockCommand } from '../../../shell/commands/lock.ts';
import { nameCommand } from '../../../shell/commands/name.ts';
import { semCommand } from '../../../shell/commands/sem.ts';
import { parseTaking, timeoutOption, tryOption, ttlOption } from '../../../shell/coordination/options.ts';
import { runCommand } from '../run-command.ts';

describe('the line of a command that takes part', () => {
  it.each([
    [lockCommand, [], 'no lock is named'],
    [lockCommand, ['x'], "no command to run under lock 'x' is given"],
    [lockCommand, ['x', '--'], "no command to run under lock 'x' is given"],
    [lockCommand, ['', 'true'], 'a lock needs a name'],
    [lockCommand, ['a\nb', 'true'], 'cannot be printed'],
    [lockCommand, ['-t', 'soon', 'x', 'true'], "invalid duration 'soon' for --timeout"],
    [lockCommand, ['-t', '25d', 'x', 'true'], '24d is the most'],
    [lockCommand, ['--ttl', '1s', 'x', 'true'], '3s at least'],
    [lockCommand, ['--ttl', '3500ms', 'x', 'true'], 'whole seconds'],
    [semCommand, ['x', 'true'], '-n N is missing'],
    [semCommand, ['-n', '0', 'x', 'true'], "invalid number '0' for -n"],
    [semCommand, ['-n', '10001', 'x', 'true'], 'it can be 1 to 10000'],
    [barrierCommand, ['-n', '2', 'x', 'true'], 'and no command'],
    [barrierCommand, ['x'], '-n N is missing'],
    [electCommand, ['--observe'], '--observe takes one name'],
    [electCommand, ['--json', 'x', 'true'], '--json goes with --observe'],
    [counterCommand, ['x', '5'], "'5' is no change of a counter"],
    [counterCommand, ['x', '+-5'], "'+-5' is no change of a counter"],
    [counterCommand, ['x', '+1', '+1'], 'an operand too many'],
    [kvCommand, [], 'it is not said what to do'],
    [kvCommand, ['constructor'], "'constructor' cannot be done"],
    [kvCommand, ['get'], 'no key is given'],
    [kvCommand, ['get', '--new', 'x'], 'get does not take --new'],
    [kvCommand, ['put', '--new', '--if-revision', '1', 'x', 'y'], 'exclude each other'],
    [nameCommand, ['--find', '--watch', 'x'], 'exclude each other'],
    [nameCommand, ['--find', 'x', 'y'], 'an operand too many'],
    [nameCommand, ['x', '--'], 'no command is given behind --'],
  ])('of $name that is wrong is refused before anything is asked: %#', async (command, args, message) => {
    await expect(runCommand(command, args)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining(message) as unknown,
    });
  });

  it('ends with the name: what follows is the command and its options', () => {
    const specs = [timeoutOption, tryOption, ttlOption];
    const { name, argv, timeoutMs, ttlSeconds } = parseTaking(
      specs,
      ['-t5s', 'x', 'make', '-t', '--try', '--'],
      'lock',
    );
    expect({ name, argv, timeoutMs, ttlSeconds }).toEqual({
      name: 'x',
      argv: ['make', '-t', '--try', '--'],
      timeoutMs: 5_000,
      ttlSeconds: 15,
    });
    expect(parseTaking(specs, ['--try', '--ttl=1m', 'x', '--', '--', 'y'], 'lock')).toMatchObject({
      argv: ['--', 'y'],
      timeoutMs: 0,
      ttlSeconds: 60,
    });
  });
});
