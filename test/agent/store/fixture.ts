/** An embedded store in this process, on a directory of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EmbeddedStore } from '../../../agent/store/embedded-store.ts';
import { openEmbeddedStore, type OpenStoreOptions } from '../../../agent/store/open-store.ts';

export interface StoreDirectory {
  readonly path: string;
  open(options?: Partial<OpenStoreOptions>): EmbeddedStore;
  remove(): void;
}

export function storeDirectory(): StoreDirectory {
  const base = mkdtempSync(join(tmpdir(), 'nsh-store-'));
  const path = join(base, 'store');
  return {
    path,
    open: (options = {}) => openEmbeddedStore({ directory: path, node: 'n1', ...options }),
    remove: () => rmSync(base, { recursive: true, force: true }),
  };
}

/** Of the entry that belongs to a session of the kill rounds. */
export const sessionKey = (session: string): string => `s/${session}`;
