/** The shim's own log: one JSON text a line on stderr, which is a file. Never environment values or output. */
export function log(message: string, facts: Readonly<Record<string, unknown>> = {}): void {
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), message, ...facts })}\n`);
}
