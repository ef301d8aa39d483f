/**
 * Limits of memory in control groups of a real kernel. Where it has no memory controller in cgroup v2 (it is v1's, or nobody's) another one
 * stands for it: what is chosen, made, moved and removed is the same, but nothing is killed.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ControlGroups, countOomKills, type Hierarchy } from '../../../agent/supervision/control-groups.ts';
import { MemoryLimits } from '../../../agent/supervision/memory-limit.ts';
import { waitUntil } from '../../e2e/wait-until.ts';

const hierarchies: readonly Hierarchy[] = [
  { root: '/sys/fs/cgroup', controller: 'memory', limitFile: 'memory.max' },
  { root: '/sys/fs/cgroup/unified', controller: 'memory', limitFile: 'memory.max' },
  { root: '/sys/fs/cgroup/unified', controller: 'hugetlb', limitFile: 'hugetlb.2MB.max' },
];
const subtree = `nsh-test-${process.pid}`;
const text = (...path: readonly string[]): string => readFileSync(join(...path), 'utf8').trim();
const words = (...path: readonly string[]): string[] => text(...path).split(/\s+/);

/** One in which this user may make groups with a limit: it is tried. */
function findUsable(): Hierarchy | undefined {
  return hierarchies.find(({ root, controller, limitFile }) => {
    try {
      if (!words(root, 'cgroup.controllers').includes(controller)) return false;
      if (!words(root, 'cgroup.subtree_control').includes(controller)) passedOn.push({ root, controller });
      writeFileSync(join(root, 'cgroup.subtree_control'), `+${controller}`);
      mkdirSync(join(root, subtree));
      try {
        return existsSync(join(root, subtree, limitFile));
      } finally {
        rmdirSync(join(root, subtree));
      }
    } catch {
      return false; // Not mounted, not this user's, or another hierarchy has the controller.
    }
  });
}

/** What is to be undone. */
const passedOn: { readonly root: string; readonly controller: string }[] = [];
const usable = findUsable();
const mark = { group: 'web', slot: 2, run: 1 };
const mebibyte = 2 ** 20;

afterAll(() => {
  for (const { root, controller } of passedOn) {
    try {
      writeFileSync(join(root, 'cgroup.subtree_control'), `-${controller}`);
    } catch {
      // It was never passed on.
    }
  }
});

describe.skipIf(usable === undefined)('a control group of its own', () => {
  const hierarchy = usable ?? hierarchies[0] ?? raise();
  const top = join(hierarchy.root, subtree);
  const children: ChildProcess[] = [];
  /** As below a user manager: what may be divided is above the group that the agent itself is in. */
  const groups = (): ControlGroups => new ControlGroups({ ...hierarchy, own: `/${subtree}/app/agent` });

  beforeAll(() => {
    mkdirSync(join(top, 'app/agent'), { recursive: true });
    writeFileSync(join(top, 'cgroup.subtree_control'), `+${hierarchy.controller}`);
  });
  afterEach(async () => {
    for (const child of children.splice(0)) await endOf(child);
  });
  afterAll(() => {
    for (const name of ['app/agent', 'app', '']) rmdirSync(join(top, name));
  });

  /** Runs in the group, as the trampoline of the shim moves itself there. */
  function run(cgroup: string, script: string): ChildProcess {
    const child = spawn('sh', ['-c', `echo 0 >"$0"/cgroup.procs || exit 126; ${script}`, cgroup], { stdio: 'ignore' });
    children.push(child);
    return child;
  }

  it('is made below the nearest one above the agent that passes the controller on, and has the limit', () => {
    expect(groups().parent).toBe(top);
    const { cgroup = '', limits } = new MemoryLimits(groups()).limitOf(mark, 4 * mebibyte);
    expect({ cgroup, limits }).toEqual({ cgroup: join(top, `nsh-${process.pid}-web-2-1`), limits: undefined });
    expect(text(cgroup, hierarchy.limitFile)).toBe(String(4 * mebibyte));
    writeFileSync(join(top, 'app/cgroup.subtree_control'), `+${hierarchy.controller}`);
    expect(groups().parent).toBe(join(top, 'app'));
    writeFileSync(join(top, 'app/cgroup.subtree_control'), `-${hierarchy.controller}`);
    rmdirSync(cgroup);
  });

  it('holds the process and what it starts, and goes when these have ended', async () => {
    const limits = new MemoryLimits(groups());
    const { cgroup = '' } = limits.limitOf(mark, 64 * mebibyte);
    const child = run(cgroup, 'sleep 1000 & wait');
    await waitUntil(() => words(cgroup, 'cgroup.procs').length === 2, 'two processes in it');
    expect(words(cgroup, 'cgroup.procs')).toContain(String(child.pid));
    // Another agent finds it by its name.
    expect(groups().find('web-2-1')).toBe(cgroup);
    expect(groups().find('eb-2-1')).toBeUndefined();
    for (const pid of words(cgroup, 'cgroup.procs')) process.kill(Number(pid), 'SIGKILL');
    await once(child, 'exit');
    await waitUntil(() => text(cgroup, 'cgroup.procs') === '', 'nobody in it');
    const ended = { kind: 'signalled', signal: 'KILL' } as const;
    expect(limits.explain(mark, 64 * mebibyte, ended)).toEqual(ended);
    expect(readdirSync(top).filter((name) => name.startsWith('nsh-'))).toEqual([]);
  });

  it.skipIf(hierarchy.controller !== 'memory')(
    'is where the kernel kills for want of memory, which is told',
    async () => {
      const limits = new MemoryLimits(groups());
      const { cgroup = '' } = limits.limitOf(mark, 64 * mebibyte);
      const child = run(cgroup, 'exec python3 -c "x = bytearray(256 << 20); print(len(x))"');
      await once(child, 'exit');
      expect(child.signalCode).toBe('SIGKILL');
      expect(limits.explain(mark, 64 * mebibyte, { kind: 'signalled', signal: 'KILL' })).toEqual({
        kind: 'signalled',
        signal: 'KILL',
        note: 'out of memory: more than 64M',
      });
    },
  );

  it('is not there where the controller is passed on nowhere: the size of the data is limited then', () => {
    writeFileSync(join(top, 'cgroup.subtree_control'), `-${hierarchy.controller}`);
    const own = new ControlGroups({ ...hierarchy, root: top, own: '/app/agent' });
    expect(own.parent).toBeUndefined();
    const limits = new MemoryLimits(own);
    expect({ kind: limits.kind, ...limits.limitOf(mark, 3 * mebibyte) }).toEqual({
      kind: 'rlimit',
      limits: { d: 3072 },
    });
    writeFileSync(join(top, 'cgroup.subtree_control'), `+${hierarchy.controller}`);
  });
});

describe('what a limit has to do with an end', () => {
  it('is read from what the kernel counts', () => {
    const directory = mkdtempSync(join(tmpdir(), 'nsh-cgroup-'));
    const file = join(directory, 'memory.events');
    expect(countOomKills(directory)).toBe(0);
    writeFileSync(file, 'low 0\nhigh 0\nmax 41\noom 1\noom_kill 3\noom_group_kill 0\n');
    expect(countOomKills(directory)).toBe(3);
    rmSync(directory, { recursive: true });
  });

  it('is told of RLIMIT_DATA where a program that was refused memory may have ended so', () => {
    const limits = new MemoryLimits(new ControlGroups({ root: '/nonexistent', controller: 'memory', limitFile: 'x' }));
    const note = 'limited to 64M of data';
    for (const end of [
      { kind: 'exited', code: 1 },
      { kind: 'signalled', signal: 'ABRT' },
    ] as const)
      expect(limits.explain(mark, 64 * mebibyte, end)).toEqual({ ...end, note });
    for (const end of [
      { kind: 'exited', code: 0 },
      { kind: 'signalled', signal: 'TERM' },
      { kind: 'lost', why: 'gone' },
    ] as const)
      expect(limits.explain(mark, 64 * mebibyte, end)).toEqual(end);
    expect(limits.explain(mark, 0, { kind: 'exited', code: 1 })).toEqual({ kind: 'exited', code: 1 });
    expect(limits.limitOf(mark, 0)).toEqual({});
  });
});

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

function raise(): never {
  throw new Error('there is none');
}
