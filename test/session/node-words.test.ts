/** Every form in which a command can stand behind a nodeset word. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSession, testNodes, type TestSession } from './session-fixture.ts';

let shell: TestSession;

beforeEach(() => {
  shell = openSession({ nodes: testNodes(3) });
});

afterEach(() => {
  shell.dispose();
});

describe('a compound command on a node', () => {
  it('runs there as a whole', async () => {
    const { stdout } = await shell.run(
      '@web1 { echo "a $NODE_NAME"; echo b; } | tr a-z A-Z',
      '@web2 ( cd /; x=1; echo "$NODE_NAME $PWD" ); echo "[$x]"',
      '@web1 if [ "$NODE_NAME" = web1 ]; then echo right; else echo wrong; fi',
      '@web2 for i in 1 2; do echo "$i $NODE_NAME"; done',
      'seq 3 | @web1 while read -r n; do echo "n$n"; done | paste -sd,',
      '@web3 case $NODE_NAME in web3) echo three;; *) echo other;; esac',
      '@web1 [[ $NODE_NAME == web? ]]; echo $?',
      '@web1 (( 1 > 2 )); echo $?',
      '! @web1 (exit 3); echo $?',
    );
    expect(stdout).toBe('A WEB1\nB\nweb2 /\n[]\nright\n1 web2\n2 web2\nn1,n2,n3\nthree\n0\n1\n0\n');
    expect(shell.told).toEqual([]);
  });

  it('leaves in the session what it changes, a subshell nothing', async () => {
    const { stdout } = await shell.run('@web1 { x=$NODE_NAME; cd /usr; }; echo $x; pwd; @web1 (x=no); echo $x');
    expect(stdout).toBe('web1\n/usr\nweb1\n');
  });

  it('takes its redirections and here-documents along', async () => {
    const { stdout } = await shell.run(
      `@web1 { echo to; echo file; } >${shell.directory}/out`,
      '@web1 { cat <<A; echo "$NODE_NAME"; } && cat <<B\none\nA\ntwo\nB\necho $LINENO',
    );
    expect(readFileSync(join(shell.directory, 'out'), 'utf8')).toBe('to\nfile\n');
    expect(stdout).toBe('one\nweb1\ntwo\n7\n');
  });

  it('can be a job, and is listed as it was written', async () => {
    await shell.run('@web1 { read x; (exit 3); } &');
    expect(shell.session.jobs.all.map(({ text }) => text)).toEqual(['@web1 { read x; (exit 3); }']);
    expect((await shell.run('wait $!; echo $?')).stdout).toBe('3\n');
  });
});

describe('a simple command on a node', () => {
  it('may have assignments, redirections and words that bash expands there', async () => {
    const { stdout } = await shell.run(
      'x=0; @web1 x=1 printenv x; echo $x',
      '@web2 eval "echo \\$NODE_NAME" | cat; @web1 cat <(echo "from $NODE_NAME")',
      '@web1 cat <<<"here $NODE_NAME"',
      `@web1 echo there >${shell.directory}/there; cat there`,
      `cd /; >${shell.directory}/first @web1 echo first; cat ${shell.directory}/first`,
      '@web1 cat <<E | wc -l\n1\n2\nE',
      '@web1 time -p true 2>/dev/null; @web1 ! true; echo $?',
    );
    expect(stdout).toBe('1\n0\nweb2\nfrom web1\nhere web1\nthere\nfirst\n2\n1\n');
    expect(existsSync(join(shell.directory, 'first'))).toBe(true);
  });

  it('on several nodes feeds one reader', async () => {
    const { stdout } = await shell.run('@web1,web2 { printenv NODE_NAME; } | sort', '! @web1,web2 (exit 2); echo $?');
    expect(stdout).toBe('web1\nweb2\n0\n');
  });
});
