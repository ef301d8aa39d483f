/**
 * Names of users and groups. /etc/passwd and /etc/group are parsed again when they change; what they do not hold (LDAP, sssd) is asked of
 * `getent` in the background, so that a slow directory service never holds up a scan: until it has answered the number stands.
 */
import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';

export type Database = 'passwd' | 'group';

/** How long an answer of getent, an unknown number included, is believed. */
const believeMs = 10 * 60_000;
const getentDeadlineMs = 5_000;

interface Answer {
  readonly name: string | undefined;
  readonly untilMs: number;
}

export class NameTable {
  private readonly database: Database;
  private readonly path: string;
  private stamp = '';
  private local = new Map<number, string>();
  private readonly answers = new Map<number, Answer>();
  private readonly asked = new Map<number, Promise<void>>();

  constructor(database: Database, path = `/etc/${database}`) {
    this.database = database;
    this.path = path;
  }

  /** Once for each scan: takes notice of a changed file. */
  refresh(): void {
    let stamp = '';
    try {
      const { mtimeMs, size, ino } = statSync(this.path);
      stamp = `${mtimeMs}:${size}:${ino}`;
    } catch {
      stamp = 'none'; // no such file: every name comes from getent
    }
    if (stamp === this.stamp) return;
    this.stamp = stamp;
    this.local = stamp === 'none' ? new Map() : parseDatabase(readFileSync(this.path, 'latin1'));
    this.answers.clear();
  }

  /** The name, or the number as text where there is none or where it is not known yet. */
  name(id: number): string {
    const known = this.local.get(id);
    if (known !== undefined) return known;
    const answer = this.answers.get(id);
    if (answer === undefined || answer.untilMs < Date.now()) this.ask(id);
    return answer?.name ?? String(id);
  }

  /** True while getent is being asked for a number that has no answer yet. */
  get pending(): boolean {
    for (const id of this.asked.keys()) if (!this.answers.has(id)) return true;
    return false;
  }

  /** Resolves when every name asked for so far has an answer. */
  async settled(): Promise<void> {
    await Promise.all(this.asked.values());
  }

  private ask(id: number): void {
    if (this.asked.has(id)) return;
    const reply = new Promise<void>((resolve) => {
      execFile('getent', [this.database, String(id)], { timeout: getentDeadlineMs }, (_error, stdout) => {
        const name = parseDatabase(stdout).get(id);
        this.answers.set(id, { name, untilMs: Date.now() + believeMs });
        this.asked.delete(id);
        resolve();
      });
    });
    this.asked.set(id, reply);
  }
}

/** `name:password:id:…` lines; the first line of a number counts. */
export function parseDatabase(text: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [name, , id] = line.split(':');
    if (name === undefined || name === '' || id === undefined || !/^\d+$/.test(id)) continue;
    if (!names.has(Number(id))) names.set(Number(id), name);
  }
  return names;
}
