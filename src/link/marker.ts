/** The near end of `nsh-agent dial --marker M`: passes over what a login shell prints before the marker's line. */
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';

/** Banners are small; who prints more is no bridge. */
const maxBannerBytes = 1024 * 1024;

export function newMarker(): string {
  return `nsh-${randomBytes(16).toString('hex')}`;
}

/**
 * Resolves when the marker's line has come; the bytes after it stay in the stream.
 * @returns false where the stream ended, or grew too long, without it.
 */
export async function passMarker(stream: Duplex, marker: string): Promise<boolean> {
  const line = Buffer.from(`${marker}\n`);
  let seen: Buffer = Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    const finish = (found: boolean): void => {
      stream.off('readable', onReadable).off('end', onEnd).off('close', onEnd).off('error', onError);
      resolve(found);
    };
    const onEnd = (): void => finish(false);
    const onError = (error: Error): void => {
      finish(false);
      reject(error);
    };
    const onReadable = (): void => {
      for (;;) {
        const chunk: Buffer | null = stream.read();
        if (chunk === null) return;
        seen = Buffer.concat([seen, chunk]);
        const at = seen.indexOf(line);
        if (at >= 0) {
          const rest = seen.subarray(at + line.length);
          finish(true);
          if (rest.length > 0) stream.unshift(rest);
          return;
        }
        if (seen.length > maxBannerBytes) return finish(false);
      }
    };
    stream.on('readable', onReadable).on('end', onEnd).on('close', onEnd).on('error', onError);
    onReadable();
  });
}

/** A word for a POSIX shell, quoted where it must be. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
