import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { buildProgram } from './build-program.ts';
import { storeDirectory } from './fixture.ts';
import { killRounds } from './rounds.ts';

it('loses nothing that was acknowledged, and keeps no half of anything, when it is killed at any moment', async () => {
  const directory = storeDirectory();
  const known = await killRounds(directory, 20, Date.now() % 1_000_000);
  expect(known.writes).toBeGreaterThan(100);
  directory.remove();
}, 60_000);

it('survives a full disk: says what it could not write, keeps what it could, and goes on when there is room again', async () => {
  const directory = storeDirectory();
  const program = await buildProgram('on-full-disk.ts');
  const script = 'mkdir -p "$1" && mount -t tmpfs -o size=3m tmpfs "$1" && exec "$2" "$3" "$1"';
  const words = ['--user', '--map-root-user', '--mount', 'sh', '-c', script, 'sh'];
  const said = execFileSync('unshare', [...words, directory.path, process.execPath, program], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 30_000,
  });
  rmSync(program);
  directory.remove();
  const outcomes = new Map(said.split('\n').map((line) => [line.split(' ')[0], line.split(' ').slice(1)]));
  const failed = [...outcomes].filter(([, [code]]) => code === 'storeUnknown').map(([key]) => key);
  expect(failed).toEqual([expect.stringMatching(/^full\d+$/)]);
  expect(outcomes.get('behind')).toEqual(['storeUnavailable']);
  const done = [...outcomes].filter(([, [code]]) => code === 'done').map(([key]) => key);
  expect(done).toEqual(expect.arrayContaining(['first', 'last']));
  const there = outcomes.get('there')?.filter((key) => !failed.includes(key));
  expect(new Set(there)).toEqual(new Set(done));
});
