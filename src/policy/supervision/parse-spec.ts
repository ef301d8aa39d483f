/**
 * The one parser of group specifications. What it reads is what a person writes: an option's text for each key (`period: "30s"`,
 * `memory: "512M"`, `ready: "tcp:8080"`), numbers where they are numbers. The store keeps the same form, so that it can be read with plain
 * tools, and it is read back through here: nothing that was stored by another version or hand is trusted.
 */
import { suggestNear } from '../../ids/near.ts';
import { parseNodeset } from '../../ids/nodeset/index.ts';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../ids/quantities.ts';
import { quoteText } from '../../ids/quote-text.ts';
import { parseSignal, signalName } from '../../ids/signals.ts';
import { NshError } from '../../protocol/errors.ts';
import { isGroupName } from './identity.ts';
import { formatReadyProbe, parseReadyProbe } from './ready-probe.ts';
import {
  maxReplicas,
  maxTogether,
  restartTypes,
  specDefaults,
  spreadings,
  strategies,
  type GroupSpec,
} from './spec.ts';

/** The keys as they are written, in the order in which they are. */
export const specKeys = [
  'name',
  'command',
  'env',
  'cwd',
  'replicas',
  'restart',
  'strategy',
  'intensity',
  'period',
  'ready',
  'ready-timeout',
  'stop-signal',
  'stop-timeout',
  'spreading',
  'on',
  'apart',
  'memory',
  'singleton',
] as const;
export type SpecKey = (typeof specKeys)[number];
/** A specification as it is written; what is absent has its default. */
export type WrittenSpec = { readonly [K in SpecKey]?: unknown };

const maxTextLength = 4096;
/** The time of each restart that counts is kept. */
const maxIntensity = 10_000;
/** The order of a node has it several times, once for each version, and is one value of the store (src/store/limits.ts). */
const maxSpecBytes = 128 * 1024;
const maxMs = 365 * 24 * 3_600_000;

/** @throws NshError `usage` (also `nodeset`), naming the key and what it may be. */
export function parseGroupSpec(written: unknown): GroupSpec {
  if (!isRecord(written)) throw usage('a group specification must be a map of keys');
  for (const key of Object.keys(written)) {
    if (!(specKeys as readonly string[]).includes(key))
      throw usage(`unknown key ${quoteText(key)}${suggestNear(key, specKeys) || `; known are ${specKeys.join(', ')}`}`);
  }
  const has = (key: SpecKey): boolean => written[key] !== undefined;
  const singleton = has('singleton') ? readBoolean(written, 'singleton') : specDefaults.singleton;
  const name = readText(written, 'name');
  if (!isGroupName(name))
    throw usage(`a group's name is a letter, then letters, digits, - _ . (64 at most), not ${quoteText(name)}`);
  const spec: GroupSpec = {
    name,
    argv: readArgv(written),
    env: has('env') ? readEnv(written) : {},
    ...(has('cwd') ? { cwd: readText(written, 'cwd') } : {}),
    replicas: has('replicas') ? readCount(written, 'replicas', maxReplicas) : specDefaults.replicas,
    restart: has('restart') ? readChoice(written, 'restart', restartTypes) : specDefaults.restart,
    strategy: has('strategy') ? readChoice(written, 'strategy', strategies) : specDefaults.strategy,
    intensity: has('intensity') ? readCount(written, 'intensity', maxIntensity) : specDefaults.intensity,
    periodMs: has('period') ? readDuration(written, 'period', 1) : specDefaults.periodMs,
    ...(has('ready') ? { ready: parseReadyProbe(readText(written, 'ready')) } : {}),
    readyTimeoutMs: has('ready-timeout') ? readDuration(written, 'ready-timeout', 1) : specDefaults.readyTimeoutMs,
    stopSignal: has('stop-signal') ? readSignal(written) : specDefaults.stopSignal,
    stopTimeoutMs: has('stop-timeout') ? readDuration(written, 'stop-timeout', 0) : specDefaults.stopTimeoutMs,
    spreading: has('spreading') ? readChoice(written, 'spreading', spreadings) : specDefaults.spreading,
    ...(has('on') ? { on: readNodeset(written) } : {}),
    apart: has('apart') ? readNames(written) : [],
    memoryBytes: has('memory') ? parseSize(readText(written, 'memory'), 'memory') : specDefaults.memoryBytes,
    singleton,
  };
  if (singleton && spec.replicas > 1)
    throw usage(`a singleton has one replica, not ${spec.replicas}: leave one of the two out`);
  if (spec.strategy !== 'one_for_one' && spec.replicas > maxTogether)
    throw usage(`replicas must be at most ${maxTogether} with ${spec.strategy}, not ${spec.replicas}`);
  const bytes = Buffer.byteLength(JSON.stringify(writeGroupSpec(spec)));
  if (bytes > maxSpecBytes)
    throw usage(`the specification has ${bytes} bytes, ${maxSpecBytes} at most: put what is long into a file`);
  return spec;
}

/** As it is stored and shown: `parseGroupSpec` reads it back. Defaults are written out, so that a later default changes no group. */
export function writeGroupSpec(spec: GroupSpec): WrittenSpec {
  return {
    name: spec.name,
    command: [...spec.argv],
    ...(Object.keys(spec.env).length > 0 ? { env: { ...spec.env } } : {}),
    ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
    replicas: spec.replicas,
    restart: spec.restart,
    strategy: spec.strategy,
    intensity: spec.intensity,
    period: formatDuration(spec.periodMs),
    ...(spec.ready === undefined ? {} : { ready: formatReadyProbe(spec.ready) }),
    'ready-timeout': formatDuration(spec.readyTimeoutMs),
    'stop-signal': spec.stopSignal,
    'stop-timeout': formatDuration(spec.stopTimeoutMs),
    spreading: spec.spreading,
    ...(spec.on === undefined ? {} : { on: spec.on }),
    ...(spec.apart.length > 0 ? { apart: [...spec.apart] } : {}),
    ...(spec.memoryBytes > 0 ? { memory: formatSize(spec.memoryBytes) } : {}),
    ...(spec.singleton ? { singleton: true } : {}),
  };
}

type Written = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Written {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readText(written: Written, key: SpecKey): string {
  const value = written[key];
  if (value === undefined) throw usage(`${key} is missing`);
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || text === '' || text.length > maxTextLength || text.includes('\0'))
    throw usage(`${key} must be a text of 1 to ${maxTextLength} characters`);
  return text;
}

function readBoolean(written: Written, key: SpecKey): boolean {
  const value = written[key];
  if (typeof value === 'boolean') return value;
  throw usage(`${key} must be true or false`);
}

function readCount(written: Written, key: SpecKey, most: number): number {
  const text = readText(written, key);
  const count = Number(text);
  if (/^\d+$/.test(text) && count <= most) return count;
  throw usage(`${key} must be a whole number from 0 to ${most}, not ${quoteText(text)}`);
}

/** `least` 0: `0` and `0s` are durations, too. */
function readDuration(written: Written, key: SpecKey, least: 0 | 1): number {
  const text = readText(written, key);
  const ms = least === 0 && /^0(?:ms|[smhd])?$/.test(text) ? 0 : parseDuration(text, key);
  if (ms <= maxMs) return ms;
  throw usage(`${key}: ${quoteText(text)} is longer than a year`);
}

function readChoice<T extends string>(written: Written, key: SpecKey, choices: readonly T[]): T {
  const text = readText(written, key);
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw usage(`${key} must be one of ${choices.join(', ')}, not ${quoteText(text)}${suggestNear(text, choices)}`);
}

function readSignal(written: Written): string {
  const number = parseSignal(readText(written, 'stop-signal'));
  const name = signalName(number);
  if (name === undefined || number === 0) throw usage('stop-signal must be a signal that a program can get');
  return name;
}

/** Syntax alone: which nodes have a label shows when the group is placed. */
function readNodeset(written: Written): string {
  const text = readText(written, 'on');
  parseNodeset(text, { labels: () => [] });
  return text;
}

function readArgv(written: Written): string[] {
  const value = written['command'];
  if (value === undefined) throw usage('a command is missing');
  const isWord = (word: unknown): word is string => typeof word === 'string' && !word.includes('\0');
  if (Array.isArray(value) && value.length > 0 && value.every(isWord) && value[0] !== '') return [...value];
  throw usage('command must be a list of words, the first of them a program');
}

function readEnv(written: Written): Record<string, string> {
  const value = written['env'];
  if (!isRecord(value)) throw usage('env must be a map of names to texts');
  const entries = Object.entries(value).map(([name, text]): [string, string] => {
    if (/^[^=\0]+$/.test(name) && typeof text === 'string' && !text.includes('\0')) return [name, text];
    throw usage(`env: ${quoteText(name)} is no variable with a text`);
  });
  return Object.fromEntries(entries);
}

function readNames(written: Written): string[] {
  const value = written['apart'];
  const isName = (name: unknown): name is string => typeof name === 'string' && isGroupName(name);
  if (Array.isArray(value) && value.every(isName)) return [...new Set(value)];
  throw usage('apart must be a list of names of groups');
}

function usage(message: string): NshError {
  return new NshError('usage', message);
}
