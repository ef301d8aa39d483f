/** Reports by chance: whatever a node answers, nothing of it runs, and the session goes on. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MalformedState } from '../../shell/session/byte-cursor.ts';
import { driver, reportState } from '../../shell/session/driver.ts';
import { readReport, type Report } from '../../shell/session/read-report.ts';
import { renderRestore } from '../../shell/session/restore.ts';
import { absorb, freshState } from '../../shell/session/shell-state.ts';
import { cleanEnv } from './session-fixture.ts';

let root = '';

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'nsh-fuzz-'));
});

afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

/** What a bash reports after a text. */
function reportOf(text: string): string {
  const { stdout } = spawnSync('bash', ['--norc', '--noprofile', '-c', `${text}\n${reportState.replace('>&4', '')}`], {
    cwd: '/',
    env: cleanEnv,
    encoding: 'latin1',
  });
  return stdout;
}

/** Xorshift: the same reports at every run. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const touch = 'touch OWNED';
const pieces = [
  `$(${touch})`,
  `\`${touch}\``,
  `";${touch};"`,
  `';${touch};'`,
  `'\n${touch}\n'`,
  `"\n${touch}\n"`,
  `)\n${touch}\n(`,
  `}\n${touch}\n`,
  `; }; ${touch}; {`,
  `\n${touch}\n`,
  `<(${touch})`,
  `a[\\$(${touch})]`,
  `\\`,
  `'`,
  `"`,
  `$'`,
  `\\'`,
  '\0',
  '\n',
  '\x1b]0;x\x07',
  '\x80\xff',
  '((',
  '}',
  ' ',
  '=',
  'declare -i ',
  'declare -n ',
  'declare -f f\n',
  '<<E',
  '#',
  '&',
  '|',
  '9'.repeat(30),
];

/** Some places changed: a piece put in, bytes taken out, a byte changed, a stretch of the same report doubled. */
function damaged(report: string, random: (below: number) => number): string {
  let text = report;
  for (let left = 1 + random(4); left > 0; left--) {
    const at = random(text.length + 1);
    const how = random(4);
    if (how === 0) text = text.slice(0, at) + (pieces[random(pieces.length)] ?? '') + text.slice(at);
    else if (how === 1) text = text.slice(0, at) + text.slice(at + 1 + random(12));
    else if (how === 2) text = text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1);
    else text = text.slice(0, at) + text.slice(at - random(200), at) + text.slice(at);
  }
  return text;
}

const rich = [
  `x="it's \\$(${touch})"; y=$'a\\nb\\t\\e\\x01'; declare -i n=5; declare -r r=1; declare -a a=(1 "two words" [9]=x)`,
  `declare -A h=([k]=v ["a b"]="\\\`c\\\`"); export e=$'\\xff'; declare -n ref=x; declare -u up=AB`,
  `f() { echo "f $1" | cat <<E\ntext \${x}\nE\n}; g() ( :; ); export -f f; alias ll='ls -l' 2>/dev/null; alias q="it's"`,
  `trap 'echo bye' USR1; trap '' INT; shopt -s nullglob; set -u; umask 027; pushd /usr >/dev/null; set -- 1 'b c'; ulimit -Sc 0`,
].join('\n');

/** Undefined where it is refused whole. */
function readOrRefuse(text: string): Report | undefined {
  try {
    return readReport(text, false);
  } catch (error) {
    if (error instanceof MalformedState) return undefined;
    throw error;
  }
}

describe('a damaged report', () => {
  it('is refused, or leaves a session in which nothing of it runs', { timeout: 60_000 }, () => {
    const fresh = readReport(reportOf(''), false)?.after;
    const report = reportOf(rich).replace(/^.*?(?=nsh-state)/s, '');
    expect(fresh).toBeDefined();
    expect(readReport(report, false)?.refused).toEqual([]);
    if (fresh === undefined) return;
    const random = chance(20_061_163);
    const restores: string[] = [];
    for (let i = 0; i < 1000; i++) {
      const found = readOrRefuse(damaged(report, random));
      // Whoever is told of it sees no control characters.
      expect(found?.refused.join(' ') ?? '').not.toMatch(/[\0-\x1f\x7f-\x9f]/);
      if (found === undefined) continue;
      const state = absorb(freshState(), found.after, { node: 'n', isCurrent: i % 2 === 0, fresh });
      const sound = { ...state, directory: undefined, directories: [] };
      const task = { text: 'echo on', line: 0, isClosed: true, isCondition: false, wantsFresh: false, isFinal: false };
      restores.push(renderRestore(sound, 'n', task));
    }
    expect(restores.length).toBeGreaterThan(500);
    // As many as a test has time for.
    for (const restore of restores.filter((_, i) => i % Math.ceil(restores.length / 15) === 0)) {
      writeFileSync(join(root, 'restore'), restore, 'latin1');
      const { stdout } = spawnSync(
        'bash',
        ['-c', '"$@" 3<restore 4>report', '_', 'bash', '--norc', '-c', driver, 'bash'],
        {
          cwd: root,
          env: cleanEnv,
          encoding: 'latin1',
        },
      );
      expect([readdirSync(root).sort(), stdout, restore]).toEqual([['report', 'restore'], 'on\n', restore]);
    }
  });
});
