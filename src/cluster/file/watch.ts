/**
 * Watches a cluster file. Its directory is what is watched, since editors replace the file by renaming another over it; where
 * the path is a link, the directory of the file behind it too.
 */
import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { NshError, toNshError } from '../../protocol/errors.ts';
import type { ClusterSpec } from '../node-spec.ts';
import { loadFoundFile } from './load.ts';
import { openClusterFile, type FileStamp } from './read-file.ts';

export interface ClusterWatch {
  /** No call-back comes after it has resolved. */
  close(): Promise<void>;
}

/** Editors write in several steps; the last one counts. */
const settleMs = 100;

/**
 * Resolves when it is watching. What changed while the watch was being set up is reported as well.
 * @param path absolute
 * @param onChange the new cluster, after a change to a file without faults
 * @param onError NshError `clusterFile`: the file is broken or gone now, and the old cluster stays in force
 * @throws NshError `clusterFile` where the directory cannot be watched
 */
export async function watchCluster(
  path: string,
  onChange: (spec: ClusterSpec) => void,
  onError: (error: NshError) => void,
): Promise<ClusterWatch> {
  const { watch } = await import('chokidar');
  let known = await stampOf(path);
  const paths = new Set([await realDirectoryOf(path), (await realpath(path).catch(() => undefined)) ?? path]);
  const directories = [...new Set([...paths].map((each) => dirname(each)))];
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let reading = Promise.resolve();

  const reload = async (): Promise<void> => {
    const stamp = await stampOf(path);
    if (isClosed || (stamp !== undefined && stamp === known)) return;
    known = stamp;
    try {
      const { spec } = await loadFoundFile({ path, namedBy: 'the running agent' }, process.env);
      if (!isClosed) onChange(spec);
    } catch (error) {
      if (!isClosed) onError(toNshError(error, 'clusterFile'));
    }
  };
  const schedule = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      reading = reading.then(reload);
    }, settleMs);
    timer.unref();
  };

  const watcher = watch(directories, {
    depth: 0,
    ignoreInitial: true,
    ignored: (candidate) => !directories.includes(candidate) && !paths.has(candidate),
  });
  watcher.on('all', schedule);
  await new Promise<void>((resolve, reject) => {
    watcher.once('ready', resolve);
    watcher.once('error', (error) => {
      reject(new NshError('clusterFile', `cannot watch ${path}: ${String(error)}`, { cause: error }));
    });
  });
  watcher.on('error', (error) =>
    onError(new NshError('clusterFile', `watching ${path}: ${String(error)}`, { cause: error })),
  );
  schedule();
  return {
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      await watcher.close();
      await reading;
    },
  };
}

/** The path with links in its directory resolved, so that it compares with what the watcher reports. */
async function realDirectoryOf(path: string): Promise<string> {
  try {
    return join(await realpath(dirname(path)), basename(path));
  } catch {
    // The directory is not there yet; the watcher says so itself.
    return path;
  }
}

/** One text for each version of the file; undefined where it cannot be read. */
async function stampOf(path: string): Promise<string | undefined> {
  try {
    const file = await openClusterFile({ path });
    await file?.close();
    return file === undefined ? undefined : stampText(file.stamp);
  } catch {
    // Unreadable for now: loading it will say why.
    return undefined;
  }
}

function stampText({ mtimeMs, ctimeMs, size, inode }: FileStamp): string {
  return [mtimeMs, ctimeMs, size, inode].join(' ');
}
