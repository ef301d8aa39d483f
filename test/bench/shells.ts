/** nsh and the shells that it is held against at the keyboard, each with the same prompt and the same lines in its history. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeEntry, entryKey } from '../../shell/history/record.ts';
import type { Setting } from './setting.ts';

export interface ShellPeer {
  readonly name: string;
  readonly command: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

export const ready = /ready>/;

/** Lines as people have them: some begin alike, most differ. */
export function historyLine(i: number): string {
  const targets = ['lint', 'unit', 'bench', 'docs', 'image'];
  const lines = [
    `make -C build/${i} ${targets[i % 5] ?? ''}`,
    `git log --oneline -n ${i} -- src/module${i % 97}`,
    `for f in part-${i}-*; do gzip -9 "$f"; done`,
    `ssh host${i % 512} tail -f /var/log/app/${i}.log | grep -i error`,
    `@web[1-${(i % 16) + 1}] systemctl status unit${i}`,
  ];
  return lines[i % lines.length] ?? '';
}

/** @param entries of history that each finds at its start. */
export async function shellPeers({ env, nsh }: Setting, entries: number): Promise<ShellPeer[]> {
  const state = env['XDG_STATE_HOME'] ?? '';
  const home = join(state, `home-${entries}`);
  const lines = Array.from({ length: entries }, (_, i) => historyLine(i));
  await mkdir(join(home, 'fish'), { recursive: true });
  await mkdir(join(state, 'nsh'), { recursive: true });
  const own = lines.map((line, i) =>
    encodeEntry({ key: entryKey('bench', i), line, session: 'bench', node: 'n1', cwd: '/tmp', atMs: i }),
  );
  const file = join(state, 'nsh', 'history');
  if (entries === 0) await rm(file, { force: true });
  else await writeFile(file, own.join(''));
  const plain = join(home, 'history');
  await writeFile(plain, lines.map((line) => `${line}\n`).join(''));
  await writeFile(
    join(home, 'fish', 'fish_history'),
    lines.map((line, i) => `- cmd: ${line}\n  when: ${i + 1}\n`).join(''),
  );
  await writeFile(
    join(home, 'fish', 'config.fish'),
    "set fish_greeting\nfunction fish_prompt; echo -n 'ready> '; end\n",
  );
  await writeFile(join(home, '.zshrc'), `PS1='ready> '\nHISTFILE=${plain}\nHISTSIZE=100000\nSAVEHIST=100000\n`);
  const base = { ...env, TERM: 'xterm-256color', PS1: 'ready> ' };
  return [
    { name: 'nsh', command: [process.execPath, nsh], env: { ...base, NSH_PROMPT: 'ready> ' } },
    {
      name: 'bash',
      command: ['bash', '--norc', '--noprofile', '-i'],
      env: { ...base, HISTFILE: plain, HISTSIZE: '100000', HISTFILESIZE: '100000' },
    },
    { name: 'zsh', command: ['zsh', '-i'], env: { ...base, ZDOTDIR: home } },
    { name: 'fish', command: ['fish', '-i'], env: { ...base, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home } },
  ];
}
