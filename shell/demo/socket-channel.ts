/**
 * One forwarded stream: an SSH channel joined to a Unix socket. Each direction waits for the slower end, and each ends by
 * itself: a client that has said all it has to say still gets the answer.
 */
import { createConnection, type Socket } from 'node:net';
import type { ServerChannel } from 'ssh2';

export function serveSocket(accept: () => ServerChannel, reject: () => void, path: string): void {
  const socket = createConnection({ path, allowHalfOpen: true });
  socket.once('error', reject);
  socket.once('connect', () => {
    socket.off('error', reject);
    join(accept(), socket);
  });
}

function join(channel: ServerChannel, socket: Socket): void {
  socket.on('error', () => channel.close());
  channel.on('error', () => socket.destroy());
  // Its close comes right behind its end: what was said before may still wait for the socket.
  channel.once('close', () => {
    if (channel.readableEnded || channel.readableLength === 0) socket.destroySoon();
    else channel.once('end', () => socket.destroySoon());
  });
  // The end of the channel's input becomes the socket's: `pipe` passes that on.
  channel.pipe(socket);
  socket.pipe(channel, { end: false });
  // `channel.end()` of a server closes both directions at once; `eof` only this one, after the writes before it.
  let said = false;
  socket.once('end', () =>
    channel.write('', () => {
      said = true;
      channel.eof();
      if (socket.closed) channel.close();
    }),
  );
  socket.once('close', () => {
    if (said || !socket.readableEnded) channel.close();
  });
}
