/** What opening a socket of this machine says of a listener that is ended at that very moment. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openUnixSocket } from '../../src/link/unix-socket.ts';

/** Listens, then takes nothing: a connection stays in the kernel's queue. Of one thread: once a zombie, it has no open file left. */
const listener = `
import signal, socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
print('listening', flush=True)
signal.pause()`;

it('a listener killed before it took the connection is one that does not listen', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nsh-socket-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'socket');
  const child = spawn('python3', ['-c', listener, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');

  const opening = openUnixSocket(path);
  child.kill('SIGKILL');
  // Not given back to the event loop before it is dead: what asks the socket for its state then finds a lost listener.
  const end = performance.now() + 10_000;
  while (isAlive(child.pid ?? 0)) if (performance.now() > end) throw new Error('the listener lives on');

  await expect(opening).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

function isAlive(pid: number): boolean {
  return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
}
