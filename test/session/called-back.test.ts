/** What goes along where bash calls nsh back: the program, an agent, and the machine itself as the node. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OneMachine } from '../e2e/one-machine.ts';

let machine: OneMachine;

beforeAll(() => {
  machine = new OneMachine();
});
afterAll(async () => {
  await machine.stop();
});

async function output(line: string): Promise<string> {
  const { stdout, stderr } = await machine.nsh('-c', line);
  return stdout + stderr;
}

describe('a node that is named inside a function, loop or substitution', () => {
  it('has the variables of the session, exported or not', async () => {
    expect(await output('export A=1; b=2; for i in 3; do @localhost eval "echo \\$A \\$b \\$i"; done')).toBe('1 2 3\n');
    expect(await output('export A=1; x=$(@localhost printenv A); echo "<$x>"')).toBe('<1>\n');
  });

  it('has its directory, and begins at home where the session has gone nowhere', async () => {
    expect(await output('cd /usr; f() { @localhost pwd; }; f; (cd /etc; f); echo $(@localhost pwd)')).toBe(
      '/usr\n/etc\n/usr\n',
    );
    expect(await output('for i in 1; do @localhost pwd; done')).toBe(`${machine.directory}\n`);
  });
});
