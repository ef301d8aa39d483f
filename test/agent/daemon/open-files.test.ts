import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { inheritedOpenFiles } from '../../../agent/daemon/open-files.ts';

describe('inheritedOpenFiles', () => {
  it('tells the soft limit of a process that is no Node', async () => {
    const child = spawn('sh', ['-c', 'ulimit -Sn 321; echo ready; read -r _'], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    expect(inheritedOpenFiles(child.pid)).toBe(321);
    child.stdin.end();
    await once(child, 'exit');
  });

  it('passes over Nodes, which have raised theirs', async () => {
    const script = 'ulimit -Sn 321; "$0" -e \'console.log(process.pid); process.stdin.resume()\'; :';
    const child = spawn('sh', ['-c', script, process.execPath], { stdio: ['pipe', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    expect(inheritedOpenFiles(Number(line.toString()))).toBe(321);
    child.stdin.end();
    await once(child, 'exit');
  });

  it('knows nothing of a process that has ended', () => {
    expect(inheritedOpenFiles(4_194_304)).toBeUndefined();
  });
});
