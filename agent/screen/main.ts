/**
 * nsh-screen: computes the screen of a terminal from its record directory, outside the shim, and ends. Prints
 * `{offset, cols, rows, data, partial}` (data in base64), or writes it into the directory as a checkpoint.
 */
import { parseArgs } from 'node:util';
import { writeCheckpoint } from './checkpoint.ts';
import { replay } from './replay.ts';
import { restoreSequence } from './restore-sequence.ts';

const usage = 'usage: nsh-screen --dir DIR [--offset N] [--scrollback LINES] [--checkpoint]';
const checkpointScrollback = 1000;
const maxScrollback = 100_000;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      dir: { type: 'string' },
      offset: { type: 'string' },
      scrollback: { type: 'string' },
      checkpoint: { type: 'boolean' },
    },
  });
  if (values.dir === undefined) throw new Error(usage);
  const isCheckpoint = values.checkpoint === true;
  const scrollback = isCheckpoint ? checkpointScrollback : Math.min(maxScrollback, count(values.scrollback ?? '1000'));
  const offset = values.offset === undefined ? undefined : count(values.offset);
  const { emulator, title, partial, ...at } = await replay({ directory: values.dir, offset, scrollback });
  const { cols, rows } = emulator;
  const data = restoreSequence(emulator, scrollback, title);
  if (isCheckpoint) writeCheckpoint(values.dir, { offset: at.offset, cols, rows, title, partial, data });
  else
    await print(JSON.stringify({ offset: at.offset, cols, rows, data: Buffer.from(data).toString('base64'), partial }));
}

function count(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Error(`${text} is no number\n${usage}`);
  return Number(text);
}

/** process.exit would cut what a pipe has not taken. */
function print(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${text}\n`, () => resolve()));
}

try {
  await main();
  process.exit(0);
} catch (error) {
  process.stderr.write(`nsh-screen: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
