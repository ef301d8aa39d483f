/** nsh-shim: owns terminals, pipes, kept output and exit statuses, so that agents may come and go. Started by the agent, detached. */
import { closeSync, mkdirSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { leaveSocketDirectory } from '../../src/cluster/paths.ts';
import { readStart, setCommandName } from '../../src/cluster/this-machine.ts';
import { toNshError } from '../../src/protocol/errors.ts';
import { programVersion } from '../../src/protocol/version.ts';
import { startSmall } from './compiler.ts';
import { Daemon } from './daemon.ts';
import { closeInherited } from './inherited-descriptors.ts';
import { log } from './shim-log.ts';
import { parseOptions, type ShimOptions } from './shim-options.ts';

/** The agent waits for a line here. */
const readyDescriptor = 3;

async function main(): Promise<void> {
  startSmall();
  setCommandName('nsh-shim');
  const options = parseOptions(process.argv.slice(2));
  closeInherited(readyDescriptor);
  const daemon = new Daemon(options, () => {
    rmSync(options.socket, { force: true });
    leaveSocketDirectory(dirname(options.socket));
    rmSync(join(options.directory, 'shim.json'), { force: true });
    process.exit(0);
  });
  // The terminal or login that the agent was started from has gone: that is why the shim is there.
  process.on('SIGHUP', () => undefined);
  process.on('SIGINT', () => undefined);
  process.on('SIGPIPE', () => undefined);
  process.on('SIGTERM', () => daemon.leaveWhenEmpty());
  // Every process of the user hangs on this one: a fault in serving one client must not end them all.
  process.on('uncaughtException', (error) => log('a fault', { error: error.stack ?? String(error) }));
  process.on('unhandledRejection', (reason) =>
    log('a fault', { error: reason instanceof Error ? reason.stack : String(reason) }),
  );
  await daemon.start();
  writeShimFile(options);
  announce();
}

function writeShimFile({ directory, id, socket }: ShimOptions): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'shim.json');
  const facts = { id, pid: process.pid, startTicks: readStart(process.pid), socket, version: programVersion };
  writeFileSync(`${path}.new`, `${JSON.stringify(facts)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function announce(): void {
  try {
    writeSync(readyDescriptor, 'ready\n');
    closeSync(readyDescriptor);
  } catch {
    // Nobody waits: it was started by hand, and shim.json tells.
  }
}

try {
  await main();
} catch (error) {
  const known = toNshError(error);
  log('the shim cannot start', { code: known.code, error: known.message });
  process.exit(1);
}
