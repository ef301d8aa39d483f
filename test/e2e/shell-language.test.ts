/** The language of the shell on real nodes: what stands behind `@`, what bash calls nsh back for, and `nsh` in what it runs. */
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startCluster, type NshCluster } from './nsh-cluster.ts';

let cluster: NshCluster;
beforeAll(async () => {
  cluster = await startCluster({ count: 2 });
});
afterEach(({ task }) => cluster.cleanAfter(task));
afterAll(() => cluster.stop());

const line = async (text: string, ...args: string[]) => await cluster.nsh(['-c', text, ...args]);
const printed = async (text: string): Promise<string> => {
  const { stdout, stderr } = await line(text);
  return stdout + stderr;
};

describe('behind @', () => {
  it('stand compound commands, assignments, redirections and here-documents', async () => {
    expect(
      await printed(
        [
          '@n1 { echo "$HOSTNAME"; cd /usr; x=1; }; echo "$PWD $x"',
          '@n2 for i in a b; do echo "$i"; done | @n1 (tr a-z A-Z) | cat',
          'if @n1 [[ -d /usr ]]; then echo dir; fi; ! @n1 (exit 3); echo $?',
          '@n1 y=2 printenv y; @n1 cat <<E >/dev/stdout',
          'text $x',
          'E',
          '@n1 cat <(echo sub)',
        ].join('\n'),
      ),
    ).toBe('n1\n/usr 1\nA\nB\ndir\n0\n2\ntext 1\nsub\n');
  });

  it('stands -b, which shows once what is identical on several nodes', async () => {
    const rule = '-'.repeat(15);
    expect(await printed('echo in | @n[1-2] -b cat; @n1 -b echo alone; @all -b eval "echo \\$HOSTNAME"')).toBe(
      [rule, 'n[1-2] (2)', rule, 'in', 'alone', rule, 'n1', rule, 'n1', rule, 'n2', rule, 'n2', ''].join('\n'),
    );
  });

  it('statuses are known for every stage, CPU times are the nodes’', async () => {
    expect(await printed('@n1 exit 3 | @n1 true | @n2 exit 4 | @n2 exit 5; echo ${PIPESTATUS[@]}')).toBe('3 0 4 5\n');
    const { stderr } = await line('TIMEFORMAT=%U; time @n1 for ((i = 0; i < 100000; i++)); do :; done');
    expect(Number(stderr)).toBeGreaterThan(0.05);
  });
});

describe('bash calls nsh back', () => {
  it('from functions, aliases, substitutions and loops, with the state of the moment', async () => {
    expect(
      await printed(
        [
          'shopt -s expand_aliases; x=5',
          'far() { @n1 eval "echo $1 \\$x \\$HOSTNAME"; }; far f',
          'v=$(@n2 eval "echo \\$x \\$HOSTNAME"); echo "<$v>"',
          'alias there=@n1',
          'there eval "echo \\$HOSTNAME"',
          'for x in 6 7; do @n1 { echo "$x"; }; done',
          'echo end | while read w; do @n2 echo "$w" </dev/null; done',
        ].join('\n'),
      ),
    ).toBe('f 5 n1\n<5 n2>\nn1\n6\n7\nend\n');
  });

  it('on a node, too, where it is the node’s own', async () => {
    expect(await printed('f() { nodeset -c a[1-3]; }; @n1 f; @n2 { for i in 1 2; do nodeset -c a[1-$i]; done; }')).toBe(
      '3\n1\n2\n',
    );
  });
});

describe('nsh is on the PATH', () => {
  it('of what it runs, here and on nodes, in scripts of bash alone and in a session', async () => {
    expect(await printed('echo a[1-2] | xargs nsh nodeset -e')).toBe('a1 a2\n');
    expect(await printed('nodeset -c a; echo a[1-2] | xargs nsh nodeset -e')).toBe('1\na1 a2\n');
    expect(await printed('@n1 eval "echo a[1-2] | xargs nsh nodeset -e"')).toBe('a1 a2\n');
    const gpid = await cluster.start('-n', 'n1', '--', 'sleep', '7411');
    expect(await printed(`echo ${gpid} | xargs nsh kill; wait ${gpid}; echo $?`)).toBe('143\n');
  });

  it('as it is there, also where the session takes a PATH of its own along', async () => {
    const own = await printed('@n1 eval "echo \\$PATH"');
    const moved = await printed(
      'nodeset -c a >/dev/null; PATH=/first:$PATH:/last; @n1 eval "echo \\$PATH; nsh nodeset -c a[1-3]"',
    );
    const directory = /[^:\n]*\/nsh\/program\/[0-9a-f]{12}/;
    expect(directory.exec(own)?.[0]).toContain(cluster.host('n1').home);
    expect(directory.exec(moved)?.[0]).toBe(directory.exec(own)?.[0]);
    expect(moved).toMatch(/^\/first:.*:\/last\n3\n$/);
    expect(moved.split('/nsh/program/')).toHaveLength(2);
  });

  it('before another nsh, and not at all where the PATH finds this one', async () => {
    const bin = join(cluster.directory, 'bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'nsh'), '#!/bin/sh\necho another\n');
    chmodSync(join(bin, 'nsh'), 0o755);
    const PATH = `${bin}:${process.env['PATH'] ?? ''}`;
    expect((await cluster.nsh(['-c', 'nsh nodeset -c a[1-2]'], { env: { PATH } })).stdout).toBe('2\n');
    const programs = join(cluster.directory, 'cache/nsh/program');
    const [name = ''] = readdirSync(programs);
    expect(readdirSync(programs)).toHaveLength(1);
    const found = `${join(programs, name)}:/usr/bin:/bin`;
    expect((await cluster.nsh(['-c', 'echo "$PATH"'], { env: { PATH: found } })).stdout).toBe(`${found}\n`);
  });
});
