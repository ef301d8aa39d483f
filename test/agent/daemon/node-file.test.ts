import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimIdentity, registerThisMachine } from '../../../agent/daemon/node-file.ts';
import { nodePaths } from '../../../src/cluster/paths.ts';
import { bootIdentity } from '../../../src/cluster/this-machine.ts';
import { nodeId } from '../../../src/ids/gpid.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'nsh-node-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function claim(id: number, name: string): void {
  const identity = { cluster: 'lab', node: nodeId(id), name };
  const paths = nodePaths({ HOME: home }, 'lab', identity.node);
  mkdirSync(paths.state, { recursive: true });
  claimIdentity(paths, identity);
}

describe('the identity of a node', () => {
  it('is kept over starts', () => {
    claim(3, 'web03');
    expect(() => claim(3, 'web03')).not.toThrow();
  });

  it('is refused under another id than the first, saying both and what to do', () => {
    claim(3, 'web03');
    expect(() => claim(2, 'web03')).toThrow(/web03 was 3, the file now says 2.*Put 3 back/);
    expect(existsSync(join(home, '.local/state/nsh/lab/2/node.json'))).toBe(false);
  });

  it('lets a node have another name, and the old name another node', () => {
    claim(3, 'web03');
    claim(3, 'front');
    claim(4, 'web03');
    expect(readdirSync(join(home, '.local/state/nsh/lab/names')).sort()).toEqual(['front', 'web03']);
  });

  it('is noted under the boot, and notes of earlier boots go', () => {
    const paths = nodePaths({ HOME: home }, 'lab', nodeId(3));
    const boots = join(paths.cluster, 'boots');
    mkdirSync(boots, { recursive: true });
    writeFileSync(join(boots, 'an-earlier-boot'), '3');
    writeFileSync(join(boots, 'of-another-node'), '4');
    registerThisMachine(paths, { cluster: 'lab', node: nodeId(3), name: 'web03' });
    expect(readdirSync(boots).sort()).toEqual([bootIdentity(), 'of-another-node'].sort());
    expect(readFileSync(join(boots, bootIdentity()), 'utf8')).toBe('3');
  });
});
