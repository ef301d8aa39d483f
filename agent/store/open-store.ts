/** The files of the embedded store, `state/store/`: this agent's alone for as long as it runs. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { isOnNetworkFileSystem, makePrivateDirectory } from '../../src/cluster/paths.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { takeLock } from '../daemon/lock.ts';
import { openDatabase, type Database } from './database.ts';
import { EmbeddedStore, type EmbeddedOptions } from './embedded-store.ts';

export interface OpenStoreOptions extends Omit<EmbeddedOptions, 'openDatabase'> {
  /** Made where it is missing, for this user alone. */
  readonly directory: string;
}

/**
 * @throws NshError `agentFailed` where another agent has it open (naming its PID), where it lies on a network file system, whose locks and
 *   mappings LMDB cannot rely on, or where it cannot be read.
 */
export function openEmbeddedStore({ directory, ...options }: OpenStoreOptions): EmbeddedStore {
  makePrivateDirectory(directory);
  if (isOnNetworkFileSystem(directory))
    throw new NshError(
      'agentFailed',
      `${options.node}: the embedded store cannot lie on a network file system (${directory}): ` +
        `set XDG_STATE_HOME there to a local directory, or name another node or an etcd in the cluster file (store)`,
    );
  const lock = takeLock(join(directory, 'lock'), `${options.node}: the store ${directory} is another agent's`);
  const release = (): void => lock.release();
  process.once('exit', release);
  const unlock = (): void => {
    process.off('exit', release);
    release();
  };
  try {
    const owner = randomBytes(16).toString('hex');
    let take = true;
    const openFiles = (): Database => {
      const database = openDatabase({ path: directory, owner, take });
      take = false;
      return database;
    };
    return new EmbeddedStore({ ...options, openDatabase: openFiles, onClosed: unlock });
  } catch (error) {
    unlock();
    throw error;
  }
}
