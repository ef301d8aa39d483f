/** `nsh lock`, `sem` and `elect` with a command: take part, wait for the turn, run the command, leave. */
import type { Hold } from '../../src/coordination/hold.ts';
import type { Place } from '../../src/coordination/keys.ts';
import type { Participant } from '../../src/coordination/participant.ts';
import type { TurnOptions } from '../../src/coordination/turn.ts';
import { unlessAborted } from '../../src/coordination/patience.ts';
import type { CommandContext } from '../command.ts';
import { makeReporter } from '../run/report.ts';
import { takenStatus, timedOutStatus, timeoutOption, type TakingOptions } from './options.ts';
import { runUnder } from './run-under.ts';
import { takePart } from './take-part.ts';
import { describeTaken, tellWaiting } from './tell-waiting.ts';

export interface HoldCommand {
  /** Of nsh, for messages. */
  readonly command: string;
  readonly place: Place;
  readonly options: TakingOptions;
  /** What others are told beside the command line. */
  readonly says?: string | undefined;
  readonly acquire: (participant: Participant, options: TurnOptions) => Promise<Hold | undefined>;
}

/** @returns the command's exit status, or why it was not run. @throws NshError */
export async function runHoldCommand(
  context: CommandContext,
  { command, place, options, says, acquire }: HoldCommand,
): Promise<number> {
  const { argv, ttlSeconds, timeoutMs, given } = options;
  const part = await takePart(context, argv, ttlSeconds, says);
  const { participant } = part;
  try {
    const stopTelling = tellWaiting(context, command, participant.store, place);
    let hold: Hold | undefined;
    try {
      const turn = acquire(participant, {
        signal: context.signal,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      });
      // A signal ends the waiting at once; the end of the session takes along what is still in the queue.
      hold = await unlessAborted(context.signal, turn);
    } finally {
      stopTelling();
    }
    if (hold === undefined) {
      const text = timeoutMs === 0 ? undefined : given.value(timeoutOption);
      makeReporter(context, command).say(await describeTaken(participant.store, place, text));
      return timeoutMs === 0 ? takenStatus : timedOutStatus;
    }
    return await runUnder(context, part, hold, { command, id: hold.id, argv });
  } finally {
    await part.close();
  }
}
