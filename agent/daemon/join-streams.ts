/** Two byte streams become one: bytes, back-pressure, half-close and loss pass from each to the other. */
import type { Duplex } from 'node:stream';

/** @param head what the near side had sent already. */
export function joinStreams(near: Duplex, far: Duplex, head: Buffer): void {
  if (head.length > 0) far.write(head);
  carry(near, far);
  carry(far, near);
}

function carry(from: Duplex, to: Duplex): void {
  from.pipe(to);
  // The close that follows tells the other side.
  from.on('error', () => undefined);
  from.on('close', () => {
    // After a clean end `to` has its end already and still delivers what is queued; else it must not wait for more.
    if (!from.readableEnded) to.destroy();
  });
}
