/** What the `ssh` program says on stderr, as nsh's codes. Pure. */
import { NshError, type ErrorCode } from '../../protocol/errors.ts';
import { printable } from '../printable.ts';

const meanings: readonly (readonly [RegExp, ErrorCode])[] = [
  [/REMOTE HOST IDENTIFICATION HAS CHANGED|REVOKED HOST KEY/, 'hostKeyChanged'],
  [/Host key verification failed|No \S+ host key is known/, 'hostKeyUnknown'],
  [/Permission denied|Too many authentication failures|No supported authentication methods/i, 'authFailed'],
  [/timed out/i, 'timeout'],
];

/** sshd had no room for another connection (MaxStartups), or its host was about to go. */
export function wasDropped(stderr: string): boolean {
  return (
    /kex_exchange_identification|banner exchange|ssh_exchange_identification/i.test(stderr) &&
    !/timed out/i.test(stderr)
  );
}

export function explainFailure(label: string, stderr: string, status: string): NshError {
  const lines = stderr
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line.trim() !== '' && !line.startsWith('@@@'));
  const said = printable(lines.join(' '), 1_500);
  const code = meanings.find(([pattern]) => pattern.test(stderr))?.[1] ?? 'unreachable';
  return new NshError(code, `${label}: ssh: ${said === '' ? status : said}`);
}
