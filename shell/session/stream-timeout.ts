/** How long a stream between stages of a pipeline waits for a link that was lost: `nsh --stream-timeout SECONDS`, kept in NSH_STREAM_TIMEOUT. */
import { NshError } from '../../src/protocol/errors.ts';
import { quoteText } from '../../src/ids/quote-text.ts';

export const streamTimeoutVariable = 'NSH_STREAM_TIMEOUT';

const defaultSeconds = 3600;

/** Default an hour; what is no number counts as not given. */
export function streamTimeoutMs(env: Readonly<Record<string, string | undefined>>): number {
  const seconds = Number(env[streamTimeoutVariable] || defaultSeconds);
  return (Number.isFinite(seconds) && seconds > 0 ? seconds : defaultSeconds) * 1000;
}

/** @throws NshError `usage` */
export function checkStreamTimeout(text: string): string {
  if (/^\d{1,7}$/.test(text) && Number(text) > 0) return text;
  throw new NshError('usage', `--stream-timeout must be a number of seconds, not ${quoteText(text)}`);
}
