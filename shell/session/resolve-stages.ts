/** Who runs each stage: nodeset words become nodes, words of builtins are expanded, neighbours on one node become one bash. */
import { NshError } from '../../src/protocol/errors.ts';
import type { ByteText } from '../language/byte-text.ts';
import { fromByteText } from '../language/byte-text.ts';
import type { BuiltinStage, NodeStage, Stage } from '../language/steps.ts';
import { expandWords } from './expand-words.ts';
import type { BashRunner } from './runner.ts';
import type { Session } from './session.ts';

interface ResolvedBase {
  readonly pipesStderr: boolean;
  /** Stages as written that it stands for. */
  readonly width: number;
}

export interface ResolvedBash extends ResolvedBase {
  readonly kind: 'bash';
  readonly runners: readonly BashRunner[];
  readonly text: ByteText;
  readonly line: number;
  /** `@web[1-8] -b cmd`: what is identical is shown once. */
  readonly folds?: boolean;
}

export interface ResolvedBuiltin extends ResolvedBase {
  readonly kind: 'builtin';
  readonly name: string;
  readonly args: readonly ByteText[];
}

/** Its words could not be expanded; bash has said why. */
export interface FailedStage extends ResolvedBase {
  readonly kind: 'failed';
  readonly status: number;
}

export type ResolvedStage = ResolvedBash | ResolvedBuiltin | FailedStage;

/** @throws NshError where a nodeset names nobody. */
export async function resolveStages(session: Session, stages: readonly Stage[]): Promise<ResolvedStage[]> {
  const resolved: ResolvedStage[] = [];
  for (const stage of stages) resolved.push(await resolveStage(session, stage));
  return resolved;
}

async function resolveStage(session: Session, stage: Stage): Promise<ResolvedStage> {
  const base = { pipesStderr: stage.pipesStderr, width: 1, text: stage.text, line: stage.line };
  if (stage.kind === 'bash') return { kind: 'bash', runners: [session.current], ...base };
  if (stage.kind === 'node') return await resolveNodes(session, stage);
  // Redirections are bash's to make: it calls the builtin back.
  if (!stage.isPlain && session.options.callBack !== undefined) {
    return { kind: 'bash', runners: [session.current], ...base };
  }
  return await resolveBuiltin(session, stage);
}

/** As of `nsh run`: no program has such a name. */
const foldOption = /^\s*-b(?=\s)/;

async function resolveNodes(session: Session, stage: NodeStage): Promise<ResolvedStage> {
  const { pipesStderr, line } = stage;
  const folds = foldOption.test(stage.text);
  const text = folds ? stage.text.replace(foldOption, '') : stage.text;
  const { nodes } = session.options;
  if (nodes === undefined)
    throw new NshError('clusterFile', `@${fromByteText(stage.where)}: this session has no cluster`);
  let { where } = stage;
  if (!stage.isLiteral) {
    const { status, words } = await expandWords(session, `@${where}`, line);
    if (status !== 0) return { kind: 'failed', status, pipesStderr, width: 1 };
    if (words.length !== 1)
      throw new NshError('nodeset', `@${fromByteText(where)}: expands to ${words.length} words, not one`);
    where = words[0]?.slice(1) ?? '';
  }
  if (text.trim() === '') throw new NshError('usage', `@${fromByteText(where)}: which command?`);
  const runners = await nodes.resolve(fromByteText(where));
  return { kind: 'bash', runners, text, line, pipesStderr, width: 1, ...(folds ? { folds } : {}) };
}

async function resolveBuiltin(session: Session, stage: BuiltinStage): Promise<ResolvedStage> {
  const { name, pipesStderr, literalArgs } = stage;
  if (literalArgs !== undefined) return { kind: 'builtin', name, args: literalArgs, pipesStderr, width: 1 };
  const { status, words } = await expandWords(session, stage.words, stage.line);
  if (status !== 0) return { kind: 'failed', status, pipesStderr, width: 1 };
  return { kind: 'builtin', name, args: words, pipesStderr, width: 1 };
}

/** Neighbours on one and the same node become one bash: what flows between them never leaves it. Pure. */
export function mergeStages(stages: readonly ResolvedStage[]): ResolvedStage[] {
  const merged: ResolvedStage[] = [];
  for (const stage of stages) {
    const before = merged.at(-1);
    const next = before === undefined ? undefined : join(before, stage);
    if (next === undefined) merged.push(stage);
    else merged[merged.length - 1] = next;
  }
  return merged;
}

function join(before: ResolvedStage, stage: ResolvedStage): ResolvedBash | undefined {
  if (before.kind !== 'bash' || stage.kind !== 'bash') return undefined;
  const [only] = before.runners;
  if (before.runners.length !== 1 || stage.runners.length !== 1 || only?.node !== stage.runners[0]?.node)
    return undefined;
  return {
    kind: 'bash',
    runners: before.runners,
    line: before.line,
    // A group keeps here-documents and comments with their stage; stages are subshells either way.
    text: `${grouped(before)} ${before.pipesStderr ? '|&' : '|'} ${grouped(stage)}`,
    pipesStderr: stage.pipesStderr,
    width: before.width + stage.width,
  };
}

function grouped({ text, width }: ResolvedBash): ByteText {
  return width > 1 || !text.includes('\n') ? text : `{ ${text}\n}`;
}
