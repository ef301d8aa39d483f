/** The agent's log: one line an event on stderr, which its starter has put into agent.log. Never environment, argv or secrets. */

export function log(event: string, facts: Readonly<Record<string, unknown>> = {}): void {
  const words = Object.entries(facts).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  process.stderr.write(`${new Date().toISOString()} ${[event, ...words].join(' ')}\n`);
}
