/** `tcp:PORT`, `exec:COMMAND`, `log:REGEX`: the texts of ready probes. */
import { quoteText } from '../../ids/quote-text.ts';
import { NshError } from '../../protocol/errors.ts';
import type { ReadyProbe } from './spec.ts';

/** Between two attempts, and the most that one may take. ms. */
export const probeIntervalMs = 250;
export const probeAttemptMs = 5_000;

/** @throws NshError `usage` */
export function parseReadyProbe(text: string): ReadyProbe {
  const colon = text.indexOf(':');
  const [kind, rest] = [text.slice(0, Math.max(0, colon)), text.slice(colon + 1)];
  switch (kind) {
    case 'tcp':
      return { kind, port: parsePort(rest) };
    case 'exec':
      if (rest.trim() === '' || rest.includes('\0')) throw invalid(text, 'a command is missing behind exec:');
      return { kind, command: rest };
    case 'log':
      checkPattern(text, rest);
      return { kind, pattern: rest };
    default:
      throw invalid(text, 'write tcp:PORT, exec:COMMAND or log:REGEX');
  }
}

export function formatReadyProbe(probe: ReadyProbe): string {
  switch (probe.kind) {
    case 'tcp':
      return `tcp:${probe.port}`;
    case 'exec':
      return `exec:${probe.command}`;
    default:
      return `log:${probe.pattern}`;
  }
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw invalid(`tcp:${text}`, 'a port is 1 to 65535');
}

function checkPattern(text: string, pattern: string): void {
  if (pattern === '') throw invalid(text, 'a regular expression is missing behind log:');
  try {
    RegExp(pattern, 'u');
  } catch (error) {
    throw invalid(text, error instanceof Error ? error.message : 'it is no regular expression');
  }
}

function invalid(text: string, why: string): NshError {
  return new NshError('usage', `invalid ready probe ${quoteText(text)}: ${why}`);
}
