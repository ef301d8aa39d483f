/**
 * `npm run bench [-- quick] [SECTION…]`: every figure of nsh against its peers, in one run, printed as it is. Sections are the names in
 * `hostBenches` and `coordination/index.ts`; wall time means something on a machine that does nothing else, processor time and ratios anywhere.
 */
import { benchBytes } from './bytes.ts';
import { coordinationBenches } from './coordination/index.ts';
import { benchEditor } from './editor.ts';
import { benchFirstPrompt } from './first-prompt.ts';
import { benchFlood } from './flood.ts';
import { benchKeystroke } from './keystroke.ts';
import { benchKill } from './kill.ts';
import { benchLines } from './lines.ts';
import { benchMemory } from './memory.ts';
import { benchPipeline } from './pipeline.ts';
import { benchProcessTable } from './process-table.ts';
import { benchSessionState } from './session-state.ts';
import { startSetting, run, type Setting } from './setting.ts';
import { benchShortProcesses } from './short-processes.ts';
import { benchTop } from './top.ts';
import { formatFigures, type Figure } from './stats.ts';

const isQuick = process.argv.includes('quick');
const nodes = isQuick ? 4 : 32;
const processesEach = 310;
const runs = isQuick ? 2 : 7;
const only = process.argv.slice(2).filter((word) => word !== 'quick');

let isFilled = false;

/** So many processes a host, as a machine with work to do has. */
async function fill({ hosts, masterConfig, env }: Setting): Promise<void> {
  if (isFilled) return;
  isFilled = true;
  const sleepers = `for i in $(seq ${processesEach}); do sleep 100000 </dev/null >/dev/null 2>&1 & done`;
  for (const host of hosts.hosts) await run('ssh', ['-F', masterConfig, host.name, sleepers], env);
}

const hostBenches: readonly (readonly [name: string, bench: (setting: Setting) => Promise<Figure[]>])[] = [
  ['table', (setting) => benchProcessTable(setting, 'few processes', runs)],
  ['kill', (setting) => benchKill(setting, isQuick ? 5 : 20)],
  ['keystroke', (setting) => benchKeystroke(setting, isQuick ? 100 : 1000)],
  ['bytes', (setting) => benchBytes(setting, isQuick ? 1 : 3)],
  ['pipeline', (setting) => benchPipeline(setting, isQuick ? 1 : 3, isQuick ? 2 ** 28 : 2 ** 30)],
  ['short', (setting) => benchShortProcesses(setting, isQuick ? 1 : 5)],
  ['memory', benchMemory],
  ['prompt', (setting) => benchFirstPrompt(setting, isQuick ? 3 : 15)],
  ['state', (setting) => benchSessionState(setting, isQuick ? 10 : 60)],
  ['lines', (setting) => benchLines(setting, isQuick ? 5 : 30)],
  ['flood', (setting) => benchFlood(setting, isQuick ? 2 : 7)],
  ['editor', (setting) => benchEditor(setting, isQuick ? 3 : 12)],
  [
    'table300',
    async (setting) => {
      await fill(setting);
      return await benchProcessTable(setting, `${processesEach} processes each`, runs);
    },
  ],
  [
    'top',
    async (setting) => {
      await fill(setting);
      return await benchTop(setting, isQuick ? 12 : 30, isQuick ? 40 : 200);
    },
  ],
];

/** Named, or one of those that a name stands for: `coordination` is all of `coordination.…`. */
const isAsked = (name: string): boolean =>
  only.length === 0 || only.some((word) => name === word || name.startsWith(`${word}.`));

const figures: Figure[] = [];

async function runBenches<S>(
  benches: readonly (readonly [name: string, bench: (setting: S) => Promise<Figure[]>])[],
  start: () => Promise<S & { stop(): Promise<void> }>,
): Promise<void> {
  const asked = benches.filter(([name]) => isAsked(name));
  if (asked.length === 0) return;
  const setting = await start();
  try {
    for (const [name, bench] of asked) {
      process.stderr.write(`${name}…`);
      const began = performance.now();
      figures.push(...(await bench(setting)));
      process.stderr.write(` ${Math.round((performance.now() - began) / 1000)} s\n`);
    }
  } finally {
    await setting.stop();
  }
}

try {
  await runBenches(hostBenches, () => startSetting(nodes));
  for (const { start, benches } of coordinationBenches(isQuick)) await runBenches(benches, start);
} finally {
  process.stdout.write(`${formatFigures(figures)}\n`);
}
