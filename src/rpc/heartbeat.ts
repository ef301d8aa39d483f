/**
 * Whether the other end is still there while something is asked of it. An answer may take as long as it takes (`wait`, a person who is
 * asked for a password), so silence alone says nothing: after some of it a `ping` goes out, and only where that is not answered either
 * has the other end stopped. Counted in ticks that were lived through: a client that was itself stopped meanwhile blames nobody.
 */
import { toNshError, type NshError } from '../protocol/errors.ts';
import type { RpcPeer } from './peer.ts';

export interface HeartbeatOptions {
  /** Length of a tick, ms. Default 1,000. */
  readonly tickMs?: number;
  /** Ticks of silence until the other end is asked whether it is there. Default 3. */
  readonly askAfter?: number;
  /** Ticks of silence until it is taken for stopped. Default 10. */
  readonly giveUpAfter?: number;
}

/** Of a `ping` that is sent again and again, from one answer to the next. */
const pingEveryMs = 5_000;

/** Watches for as long as the peer is open. @param explain makes the error that all open requests end with. */
export function watchSilence(peer: RpcPeer, explain: () => NshError, options: HeartbeatOptions = {}): void {
  const { tickMs = 1_000, askAfter = 3, giveUpAfter = 10 } = options;
  let heard = peer.heard;
  let silentTicks = 0;
  const timer = setInterval(() => {
    if (peer.heard !== heard || !peer.isWaiting) {
      heard = peer.heard;
      silentTicks = 0;
      return;
    }
    silentTicks++;
    // Whatever it answers, that there is no such method too, shows that it is there.
    if (silentTicks === askAfter) peer.request('ping', {}).catch(() => undefined);
    if (silentTicks >= giveUpAfter) peer.abandon(explain());
  }, tickMs);
  timer.unref();
  void peer.closed.then(() => clearInterval(timer));
}

/**
 * `work` of which nothing is heard on a connection that is watched: that one is asked for a sign of life meanwhile.
 * @param ping resolves with that; only what `isSilence` ends `work`.
 */
export async function whileAlive<T>(
  work: Promise<T>,
  ping: () => Promise<unknown>,
  isSilence: (error: NshError) => boolean,
): Promise<T> {
  let stop: () => void = () => undefined;
  const silence = new Promise<never>((_, reject) => {
    stop = askAgainAndAgain(ping, isSilence, reject);
  });
  try {
    return await Promise.race([work, silence]);
  } finally {
    stop();
  }
}

/** @param needsAsking is called before each `ping`; false leaves one out. @returns what ends it. */
export function askAgainAndAgain(
  ping: () => Promise<unknown>,
  isSilence: (error: NshError) => boolean,
  onSilence: (error: NshError) => void,
  needsAsking: () => boolean = () => true,
): () => void {
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const again = (): void => {
    if (!isOver) timer = setTimeout(() => void ask(), pingEveryMs).unref();
  };
  const ask = async (): Promise<void> => {
    try {
      if (needsAsking()) await ping();
    } catch (error) {
      const known = toNshError(error);
      // Any other failure is that of `work` too, which ends by itself.
      if (isSilence(known) && !isOver) onSilence(known);
    }
    again();
  };
  again();
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}
