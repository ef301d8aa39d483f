/** Cuts a script where nsh must act, and nowhere else: what lies between goes as one text to one bash. */
import type { CommandNode, PipelineNode, Statement } from 'unbash';
import type { ByteText } from './byte-text.ts';
import { findHereDocs, type HereDocPlace, pieceOf } from './here-docs.ts';
import { concernOf, isJobCommand, isLiteralWord, type Surroundings } from './nsh-words.ts';
import { withOwnFunctions } from './own-functions.ts';
import { parseScript, type ScriptTree } from './script-tree.ts';
import type { BashStep, JobStep, ListStep, PipelineStep, Stage, Step } from './steps.ts';

/** @param tree of the source, without faults. */
export function cutScript(source: ByteText, around: Surroundings, tree: ScriptTree = parseScript(source)): Step[] {
  const cutter = new Cutter(source, tree, withOwnFunctions(tree, around));
  return cutter.cut();
}

class Cutter {
  private readonly source: ByteText;
  private readonly tree: ScriptTree;
  private around: Surroundings;
  private readonly newlines: readonly number[];
  private readonly docs: readonly HereDocPlace[];

  constructor(source: ByteText, tree: ScriptTree, around: Surroundings) {
    this.source = source;
    this.tree = tree;
    this.around = around;
    this.newlines = [...source.matchAll(/\n/g)].map(({ index }) => index);
    this.docs = source.includes('<<') ? findHereDocs(tree, source) : [];
  }

  cut(): Step[] {
    const steps: Step[] = [];
    let plain: Statement[] = [];
    const flush = (): void => {
      const [first] = plain;
      const last = plain.at(-1);
      if (first !== undefined && last !== undefined) steps.push(this.bash(first.pos, endOf(last, this.source)));
      plain = [];
    };
    for (const statement of this.tree.commands) {
      const step = this.stepOf(statement);
      if (step === undefined) {
        plain.push(statement);
        continue;
      }
      flush();
      steps.push(step);
    }
    if (steps.length === 0) return this.tree.commands.length === 0 ? [] : [this.whole()];
    flush();
    return steps;
  }

  private whole(): BashStep {
    return { kind: 'bash', text: this.source, line: 0, isClosed: this.isClosed(0, this.source.length) };
  }

  private bash(from: number, to: number): BashStep {
    return { kind: 'bash', ...this.piece(from, to), isClosed: this.isClosed(from, to) };
  }

  private isClosed(from: number, to: number): boolean {
    const isOpen = this.docs.some((doc) => !doc.isClosed && doc.operator >= from && doc.operator < to);
    return !isOpen && !/\\\n?$/.test(this.source.slice(from, to));
  }

  private piece(from: number, to: number): { text: ByteText; line: number } {
    return { text: pieceOf(this.source, this.docs, from, to), line: this.lineAt(from) };
  }

  /** Newlines before a place. */
  private lineAt(place: number): number {
    let [low, high] = [0, this.newlines.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.newlines[middle] ?? 0) < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Undefined: all of it is bash's. */
  private stepOf(statement: Statement): Step | undefined {
    const isJob = statement.background === true && this.around.jobsAre === 'nsh';
    const body = this.listOf(statement.command);
    // `%1 &` is no job of its own.
    if (!isJob || isContinued(body, statement)) {
      // What is nsh's in the background cannot be left to bash.
      if (body === undefined || statement.background !== true) return body;
      if (isJob) return inBackground(body);
    }
    const { pos, end } = statement.command;
    // What follows may wait for it.
    this.around = { ...this.around, hasJobs: true };
    const job: JobStep = { kind: 'job', ...this.piece(pos, end), body: body ?? this.bash(pos, end) };
    return job;
  }

  private listOf(node: Statement['command']): ListStep | PipelineStep | undefined {
    if (node.type !== 'AndOr') return this.pipelineOf(node);
    const found = node.commands.map((each) => this.pipelineOf(each));
    if (found.every((each) => each === undefined)) return undefined;
    const items = node.commands.map((each, i) => ({
      operator: i === 0 ? undefined : node.operators[i - 1],
      step: found[i] ?? this.bash(each.pos, each.end),
    }));
    return { kind: 'list', ...this.piece(node.pos, node.end), items };
  }

  private pipelineOf(node: PipelineNode): PipelineStep | undefined {
    const isPipeline = node.type === 'Pipeline';
    const commands = isPipeline ? node.commands : [node];
    const operators = isPipeline ? node.operators : [];
    const prefixes = isPipeline ? node.prefixes : [];
    if (!commands.some((each) => this.concernsNsh(each))) return undefined;
    const stages = commands.map((command, i) => this.stageOf(command, operators[i] === '|&'));
    const time = prefixes.find((prefix) => prefix.type === 'Time');
    return {
      kind: 'pipeline',
      ...this.piece(node.pos, node.end),
      stages,
      isNegated: prefixes.filter(({ type }) => type === 'Negation').length % 2 === 1,
      timed: time?.type === 'Time' ? (time.posix === undefined ? 'bash' : 'posix') : undefined,
    };
  }

  private concernsNsh(command: CommandNode): boolean {
    return command.type === 'Command' && concernOf(command, this.around) !== undefined;
  }

  private stageOf(command: CommandNode, pipesStderr: boolean): Stage {
    const base = { ...this.piece(command.pos, command.end), pipesStderr };
    const concern = command.type === 'Command' ? concernOf(command, this.around) : undefined;
    if (command.type !== 'Command' || concern === undefined) return { kind: 'bash', ...base };
    if (concern.kind === 'node') {
      const { word } = concern;
      const before = this.source.slice(command.pos, word.pos);
      const rest = pieceOf(this.source, this.docs, word.end, command.end);
      const where = word.text.slice(1);
      return { kind: 'node', ...base, text: before + rest.trimStart(), where, isLiteral: isPlainNodeset(where) };
    }
    const args = isJobCommand(command) && command.name !== undefined ? [command.name] : command.args;
    const [first] = args;
    const words = first === undefined ? '' : this.source.slice(first.pos, args.at(-1)?.end);
    const isLiteral = args.every((word) => word.type === 'Word' && isLiteralWord(word));
    return {
      kind: 'builtin',
      ...base,
      name: concern.name,
      words,
      literalArgs: isLiteral ? args.map(({ text }) => text) : undefined,
      isPlain: command.redirects.length === 0 && command.prefix.length === 0,
    };
  }
}

/** `%1 &`, which bash takes for `bg %1`. */
function isContinued(body: ListStep | PipelineStep | undefined, { command }: Statement): boolean {
  return body?.kind === 'pipeline' && command.type === 'Command' && isJobCommand(command);
}

function inBackground(body: ListStep | PipelineStep): ListStep | PipelineStep {
  if (body.kind === 'list') return body;
  return { ...body, stages: body.stages.map((stage) => (stage.kind === 'builtin' ? { ...stage, name: 'bg' } : stage)) };
}

/** Brackets of a nodeset are its own, no glob's. */
function isPlainNodeset(where: ByteText): boolean {
  return !/["'\\$`]/.test(where);
}

/** A statement that bash keeps in the background owns its `&`. */
function endOf(statement: Statement, source: ByteText): number {
  if (statement.background !== true || source[statement.end - 1] === '&') return statement.end;
  return statement.end + 1;
}
