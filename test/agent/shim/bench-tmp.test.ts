import { afterAll, beforeAll, test } from 'vitest';
import { readFileSync } from 'node:fs';
import { ShimUnderTest, spawnParams } from './shim-under-test.ts';
import { StreamClient } from './stream-client.ts';
let shim: ShimUnderTest;
const rss = () =>
  /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${shim.pid}/status`, 'latin1'))?.[1] +
  ' kB hwm ' +
  /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${shim.pid}/status`, 'latin1'))?.[1];
beforeAll(async () => {
  shim = await ShimUnderTest.start();
});
afterAll(async () => {
  await shim.stop();
});
let n = 0;
async function throughput(io: 'pty' | 'pipes', mb: number, keepBytes: number) {
  const id = `client-b${++n}-xxxx`;
  const t = performance.now();
  const p = await shim.spawn(['head', '-c', String(mb * 1e6), '/dev/zero'], { io, foreground: id, keepBytes });
  const c = await StreamClient.open(shim.socket, p, {
    role: 'foreground',
    client: id,
    keeps: false,
    window: io === 'pty' ? 256 * 1024 : 4 << 20,
  });
  await c.ended();
  const ms = performance.now() - t;
  console.log(io, c.next.get(1), ((mb / ms) * 1000).toFixed(0) + ' MB/s', rss());
}
test('throughput', async () => {
  console.log('start', rss());
  for (let i = 0; i < 3; i++) await throughput('pipes', 1000, 65536);
  for (let i = 0; i < 3; i++) await throughput('pty', 200, 8 << 20);
}, 100000);
for (const io of ['pipes', 'pty'] as const)
  test('spawn rate ' + io, async () => {
    for (let round = 0; round < 3; round++) {
      const total = 400;
      let i = 0;
      const t = performance.now();
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          while (i < total) {
            i++;
            const id = `client-s${++n}-xxxx`;
            const p = await shim.call('spawn', spawnParams(['/bin/true'], { io, foreground: id }));
            const c = await StreamClient.open(shim.socket, p, { role: 'foreground', client: id });
            await c.ended();
            c.socket.destroy();
          }
        }),
      );
      console.log(io, ((total / (performance.now() - t)) * 1000).toFixed(0) + '/s', rss());
    }
  }, 100000);
