/**
 * A line whose syntax is wrong runs nothing, and is told with its place. Where our parser sees a fault bash is asked too: it may read what
 * ours does not (aliases in the middle of a command, options of the session).
 */
import { spawn } from 'node:child_process';
import type { ByteText } from '../language/byte-text.ts';
import { readScript } from '../language/script-tree.ts';
import { describeFault } from '../language/syntax-error.ts';

const maxCheckMs = 2_000;

/** @returns what is wrong, for a person; undefined: nothing, or nothing that this machine's bash objects to. */
export async function findSyntaxError(text: ByteText): Promise<string | undefined> {
  const { fault } = readScript(text);
  if (fault === undefined || !(await isRefusedByBash(text))) return undefined;
  return describeFault(text, { ...fault, position: startOfToken(text, fault.position) });
}

/** Blanks before the word that cannot stand there are not what is wrong. */
function startOfToken(text: ByteText, position: number): number {
  return position + Math.max(0, text.slice(position).search(/[^ \t]/));
}

/** False also where there is no bash to ask. */
function isRefusedByBash(text: ByteText): Promise<boolean> {
  return new Promise((resolve) => {
    const args = ['--norc', '--noprofile', '-O', 'extglob', '-n'];
    const child = spawn('bash', args, { stdio: ['pipe', 'ignore', 'ignore'], timeout: maxCheckMs });
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code !== null && code !== 0));
    child.stdin.on('error', () => {
      // It has seen enough: its status tells.
    });
    child.stdin.end(text, 'latin1');
  });
}
