/** Signals to nsh that belong to the process it stands for: a foreground process without a terminal of its own. */

export const forwardedSignals = ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const;
export type ForwardedSignal = (typeof forwardedSignals)[number];

/** @returns what ends the forwarding. */
export function forwardSignals(onSignal: (name: ForwardedSignal) => void): () => void {
  const handlers = forwardedSignals.map((name) => [name, () => onSignal(name)] as const);
  for (const [name, handler] of handlers) process.on(name, handler);
  return () => {
    for (const [name, handler] of handlers) process.off(name, handler);
  };
}
