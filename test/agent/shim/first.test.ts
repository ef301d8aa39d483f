import { afterAll, beforeAll, expect, test } from 'vitest';
import { ShimUnderTest } from './shim-under-test.ts';
import { StreamClient } from './stream-client.ts';
let shim: ShimUnderTest;
beforeAll(async () => {
  shim = await ShimUnderTest.start();
});
afterAll(async () => {
  await shim.stop();
});
test('pipes', async () => {
  const p = await shim.spawn(['sh', '-c', 'echo out; echo err >&2; env; exit 3'], { foreground: 'client-0001' });
  const c = await StreamClient.open(shim.socket, p, { role: 'foreground', client: 'client-0001' });
  expect(await c.ended()).toMatchObject({ code: 3 });
  console.log(c.text(1), c.text(2), p);
});
test('pty', async () => {
  const p = await shim.spawn(['sh', '-c', 'tty; stty size; echo $NSH_GPID; ls -l /proc/self/fd; exit 4'], {
    io: 'pty',
    foreground: 'client-0002',
    keepBytes: 1 << 20,
  });
  const c = await StreamClient.open(shim.socket, p, { role: 'foreground', client: 'client-0002' });
  expect(await c.ended()).toMatchObject({ code: 4 });
  console.log(c.text(1), c.text(2), p);
});
