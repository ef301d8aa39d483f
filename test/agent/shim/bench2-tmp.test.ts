import { afterAll, beforeAll, test } from 'vitest';
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { ShimUnderTest, spawnParams } from './shim-under-test.ts';
import { StreamClient } from './stream-client.ts';
let shim: ShimUnderTest;
const rss = () => /RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${shim.pid}/status`, 'latin1'))?.[1];
const cpu = () => {
  const f = readFileSync(`/proc/${shim.pid}/stat`, 'latin1').split(' ');
  return `u ${f[13]} s ${f[14]}`;
};
beforeAll(async () => {
  shim = await ShimUnderTest.start();
  console.log('start /s', rss());
});
afterAll(async () => {
  await shim.stop();
});
let n = 0;
for (const io of ['pipes'] as const)
  test('spawn rate ' + io, async () => {
    for (let round = 0; round < 3; round++) {
      let ts = 0,
        to = 0,
        te = 0;
      const before = cpu();
      const total = 400;
      let i = 0;
      const t = performance.now();
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          while (i < total) {
            i++;
            const id = `client-s${++n}-xxxx`;
            const a = performance.now();
            const p = await shim.call('spawn', spawnParams(['/bin/true'], { io, foreground: id }));
            const b = performance.now();
            const c = await StreamClient.open(shim.socket, p, { role: 'foreground', client: id });
            const d = performance.now();
            await c.ended();
            c.socket.destroy();
            const e = performance.now();
            ts += b - a;
            to += d - b;
            te += e - d;
          }
        }),
      );
      console.log(
        io,
        ((total / (performance.now() - t)) * 1000).toFixed(0) + '/s',
        rss(),
        ts / total,
        to / total,
        te / total,
        before,
        cpu(),
      );
    }
  }, 100000);
