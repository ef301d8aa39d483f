/** The screen of a terminal, computed by a short-lived program of its own: the emulator must not weigh on agent or shim. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { programPath } from '../../src/cluster/programs.ts';
import type { ScreenResult } from '../../src/protocol/control.ts';
import { screenResult } from '../../src/protocol/control.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { ManagedProcess } from '../../src/protocol/process.ts';
import { check } from '../../src/rpc/typed.ts';
import { directoryName } from '../shim/record-files.ts';

const deadlineMs = 10_000;
const maxOutputBytes = 32 * 1024 * 1024;

/** @throws NshError `agentFailed` where the program fails, `timeout` after 10 s. */
export async function readScreen(
  processes: string,
  record: ManagedProcess,
  scrollback: number,
  signal: AbortSignal,
): Promise<ScreenResult> {
  const directory = join(processes, directoryName(record));
  const words = ['--dir', directory, '--scrollback', String(scrollback)];
  const text = await collect(words, AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]));
  return check(screenResult, JSON.parse(text) as unknown, 'screen', 'internal');
}

function collect(words: readonly string[], signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [programPath('nsh-screen'), ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > maxOutputBytes) child.kill('SIGKILL');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-2000);
    });
    child.on('error', (error) =>
      reject(new NshError('agentFailed', `the screen cannot be computed: ${error.message}`, { cause: error })),
    );
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(chunks).toString('utf8'));
      else
        reject(
          new NshError(
            'agentFailed',
            `the screen cannot be computed: ${said.trim().split('\n').at(-1) ?? `status ${code}`}`,
          ),
        );
    });
  });
}
