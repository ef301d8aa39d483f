/** `nsh group ls`, `show` and `events`: what the store has of groups, for people and programs. */
import { readGroupEvents, type ToldEvent } from '../../src/coordination/groups/snapshot.ts';
import { viewGroup, viewGroups } from '../../src/coordination/groups/view.ts';
import { untilAnswered } from '../../src/coordination/patience.ts';
import { eventPrefix } from '../../src/policy/supervision/store-keys.ts';
import { replicaName } from '../../src/policy/supervision/identity.ts';
import { isCompacted } from '../../src/store/errors.ts';
import type { CommandContext } from '../command.ts';
import { escapeJson, escapeLines } from '../escape.ts';
import { openGroups, type Opened } from './change.ts';
import { noSuchGroup } from './decide.ts';
import { renderEvent, whoOf, type EventStyle } from './render-event.ts';
import { groupToJson, renderGroup, renderGroups, type Surroundings } from './render.ts';

export async function listGroups(context: CommandContext, names: readonly string[], asJson: boolean): Promise<number> {
  const opened = await openGroups(context, 'group');
  for (const name of names) if (!opened.snapshot.wanted.has(name)) throw missing(name, opened);
  const views = viewGroups(opened.snapshot).filter(({ name }) => names.length === 0 || names.includes(name));
  const around = surroundingsOf(opened);
  if (asJson) {
    const told = views.map((view) => groupToJson(view, around));
    context.stdout.write(`${escapeJson(JSON.stringify(told, undefined, 2))}\n`);
    return 0;
  }
  const { columns: width, colour } = context.terminal;
  context.stdout.write(renderGroups(views, around, { width, colour }));
  return 0;
}

export async function showGroup(context: CommandContext, name: string, asJson: boolean): Promise<number> {
  const opened = await openGroups(context, 'group');
  const view = viewGroup(opened.snapshot, name);
  if (view === undefined) throw missing(name, opened);
  const around = surroundingsOf(opened);
  const { columns: width, colour } = context.terminal;
  context.stdout.write(
    asJson
      ? `${escapeJson(JSON.stringify(groupToJson(view, around), undefined, 2))}\n`
      : renderGroup(view, around, { width, colour }),
  );
  return 0;
}

function missing(name: string, { snapshot }: Opened): Error {
  return noSuchGroup(name, [...snapshot.wanted.keys()]);
}

function surroundingsOf({ snapshot, nodes }: Opened): Surroundings {
  const names = new Map(nodes.map(({ id, name }) => [id, name]));
  return {
    nameOf: (node) => names.get(node) ?? snapshot.present.get(node)?.name ?? String(node),
    present: snapshot.present,
    nowMs: Date.now(),
  };
}

export interface EventsWanted {
  readonly asJson: boolean;
  /** Go on with those that come. */
  readonly follows: boolean;
}

/** Those of a group that was removed are kept no longer than it is. */
export async function tellEvents(
  context: CommandContext,
  name: string,
  { asJson, follows }: EventsWanted,
): Promise<number> {
  const opened = await openGroups(context, 'group');
  const { store } = opened;
  const { signal } = context;
  const { nameOf } = surroundingsOf(opened);
  const style = eventStyle(context, opened, name);
  /** Event by event: each writer's list is bounded, so that its length says nothing. */
  let told = new Set<string>();
  let read = await readGroupEvents(store, name, { signal });
  for (const problem of read.problems) context.stderr.write(`nsh group: ${escapeLines(problem)}\n`);
  if (read.events.length === 0 && !opened.snapshot.wanted.has(name)) throw missing(name, opened);
  for (;;) {
    const fresh = read.events.filter((event) => !told.has(JSON.stringify(event)));
    for (const event of fresh) {
      context.stdout.write(`${asJson ? json(event, name, nameOf) : renderEvent(event, name, style)}\n`);
    }
    if (!follows) return 0;
    // What is not kept any more does not come again.
    told = new Set(read.events.map((event) => JSON.stringify(event)));
    try {
      for await (const _batch of store.watch(eventPrefix(name), read.revision + 1n, { signal })) break;
    } catch (error) {
      if (!isCompacted(error)) throw error;
    }
    signal.throwIfAborted();
    read = await untilAnswered(signal, () => readGroupEvents(store, name, { signal }));
  }
}

function json(event: ToldEvent, group: string, nameOf: Surroundings['nameOf']): string {
  const { atMs, who: _who, ...rest } = event;
  const told = { at: new Date(atMs).toISOString(), group, who: whoOf(event, nameOf), ...rest };
  return escapeJson(JSON.stringify(told));
}

/** On a terminal short and aligned, for eyes; else whole, for tools. */
function eventStyle({ stdout, terminal }: CommandContext, opened: Opened, name: string): EventStyle {
  const { nameOf } = surroundingsOf(opened);
  if (stdout.isTTY !== true) return { nameOf, colour: false };
  const slots = opened.snapshot.wanted.get(name)?.wanted.spec.replicas ?? 1;
  return {
    nameOf,
    colour: terminal.colour,
    aligned: {
      who: Math.max(...['leader', 'person', ...opened.nodes.map((node) => node.name)].map((each) => each.length)),
      what: replicaName({ group: name, slot: slots }).length,
    },
  };
}
