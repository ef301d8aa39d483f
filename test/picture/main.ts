/**
 * `npm run picture`: a real session on the demo cluster, driven in tmux as a person would, and its last screen as .github/session.svg, which
 * the README shows. Nothing of it is drawn by hand: what the shell prints now is what the picture has.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseScreen } from './sgr.ts';
import { renderSvg } from './svg.ts';
import { TmuxTerminal } from './tmux-terminal.ts';

const root = join(import.meta.dirname, '../..');
const target = join(root, '.github/session.svg');
const size = { columns: 94, rows: 40 };

const home = mkdtempSync(join(tmpdir(), 'nsh-picture-'));
const terminal = new TmuxTerminal(size, {
  PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
  HOME: home,
  TMPDIR: home,
  LANG: 'C.UTF-8',
});
try {
  terminal.start([process.execPath, join(root, 'dist/nsh.js'), 'demo'], home);
  await terminal.until(/3 nodes up/);
  await session(terminal);
  const screen = parseScreen(terminal.capture(), terminal.cursor());
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, renderSvg(screen, { ...size, title: 'nsh demo: one shell, three nodes' }));
  process.stdout.write(`${target}\n`);
} finally {
  await terminal.close();
  rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

/** What the picture tells: nodes, a function that goes along, a pipeline across nodes, a job that is stopped, one that is left running. */
async function session(shell: TmuxTerminal): Promise<void> {
  await shell.run('clear');
  await shell.run('nodes');
  await shell.run('greet() { echo "$1 from $(uname -n)"; }');
  await shell.run('@n2 greet hello');
  await shell.run('@n1 seq 100000 | @n3 sort -rn | head -1');
  await shell.run('@all uname -sr');
  await shell.type('@n2 sleep 600');
  shell.key('Enter');
  await shell.until(/sleep 600$/);
  await shell.hasRun('sleep 600');
  shell.key('C-z');
  await shell.prompt();
  await shell.run('bg');
  await shell.type('@n3 python3 -q');
  shell.key('Enter');
  await shell.until(/^>>> *$/);
  await shell.type('print(sum(range(10**6)))');
  shell.key('Enter');
  await shell.until(/^499999500000$/);
  await shell.until(/^>>>$/);
  shell.key('C-\\', 'd');
  await shell.until(/detached from/);
  await shell.prompt();
  await shell.run('ps -a');
  await shell.type('kill -TERM ');
  shell.key('Tab');
  await shell.until(/python3/);
  await shell.settle();
}
