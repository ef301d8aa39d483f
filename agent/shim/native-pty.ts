/**
 * node-pty's native part, and of it only `fork` and `resize`: its own reading loses output at exit. The kernel side is forkpty(3)
 * with IUTF8; in the child every descriptor from 3 on is closed at exec.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { NshError } from '../../src/protocol/errors.ts';

export interface ForkedTerminal {
  /** Master side, O_NONBLOCK, **not** close-on-exec: children made by node:child_process would inherit it. */
  readonly fd: number;
  readonly pid: number;
  /** /dev/pts/N */
  readonly pty: string;
}

interface NativePty {
  // The positions are node-pty's: file, args, env, cwd, cols, rows, uid, gid, utf8, helper (macOS), exit callback.
  fork(
    file: string,
    args: readonly string[],
    env: readonly string[],
    cwd: string,
    cols: number,
    rows: number,
    uid: number,
    gid: number,
    utf8: boolean,
    helper: string,
    onExit: (code: number, signal: number) => void,
  ): ForkedTerminal;
  resize(fd: number, cols: number, rows: number, xPixels: number, yPixels: number): void;
}

export interface ForkOptions {
  readonly file: string;
  readonly args: readonly string[];
  /** `NAME=VALUE` each. */
  readonly env: readonly string[];
  readonly cwd: string;
  readonly cols: number;
  readonly rows: number;
  /** Called when the process has been reaped. `signal` is 0 where it exited by itself. */
  readonly onExit: (code: number, signal: number) => void;
}

let loaded: NativePty | undefined;

function load(): NativePty {
  if (loaded !== undefined) return loaded;
  const require = createRequire(import.meta.url);
  const root = dirname(require.resolve('node-pty/package.json'));
  // The order of node-pty's own loader: what was compiled here comes before what was shipped.
  const folders = ['build/Release', 'build/Debug', `prebuilds/${process.platform}-${process.arch}`];
  const path = folders.map((folder) => join(root, folder, 'pty.node')).find((file) => existsSync(file));
  if (path === undefined) {
    throw new NshError('spawnFailed', `node-pty has no native part for ${process.platform}-${process.arch} in ${root}`);
  }
  loaded = require(path) as NativePty;
  return loaded;
}

/** @throws NshError `spawnFailed` where the system has no terminal or process left. */
export function forkTerminal(options: ForkOptions): ForkedTerminal {
  const { file, args, env, cwd, cols, rows, onExit } = options;
  const native = load();
  try {
    return native.fork(file, args, env, cwd, cols, rows, -1, -1, true, '', onExit);
  } catch (error) {
    throw new NshError('spawnFailed', `no terminal can be made: ${(error as Error).message}`, { cause: error });
  }
}

/** TIOCSWINSZ: the kernel tells the foreground process group with SIGWINCH. */
export function resizeTerminal(fd: number, cols: number, rows: number): void {
  load().resize(fd, cols, rows, 0, 0);
}
