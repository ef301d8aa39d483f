/**
 * `npm run bench [-- quick] [SECTION…]`: every figure of nsh against its peers, in one run, printed as it is. Sections are the names in
 * `benches`; wall time means something on a machine that does nothing else, processor time and ratios anywhere.
 */
import { benchBytes } from './bytes.ts';
import { benchCoordination } from './coordination.ts';
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

const benches: readonly (readonly [name: string, bench: (setting: Setting) => Promise<Figure[]>])[] = [
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
  ['coordination', (setting) => benchCoordination(setting, isQuick ? 50 : 300)],
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

const setting = await startSetting(nodes);
const figures: Figure[] = [];
try {
  for (const [name, bench] of benches) {
    if (only.length > 0 && !only.includes(name)) continue;
    process.stderr.write(`${name}…\n`);
    figures.push(...(await bench(setting)));
  }
} finally {
  await setting.stop();
}
process.stdout.write(`${formatFigures(figures)}\n`);
