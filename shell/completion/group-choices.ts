/** Names of groups and of replicas as choices. Pure. */
import type { KnownGroup } from './sources.ts';
import type { Choice, GroupForm } from './types.ts';

export interface GroupChoices {
  /** So many characters of what is typed stay: the names before, in a list. */
  readonly skip: number;
  readonly choices: (known: readonly KnownGroup[]) => readonly Choice[];
}

export function groupChoices(typed: string, form: GroupForm): GroupChoices {
  switch (form) {
    case 'name':
      return { skip: 0, choices: names };
    case 'number':
      return { skip: 0, choices: (known) => (typed.includes('=') ? [] : numbers(known)) };
    case 'list':
      return { skip: typed.lastIndexOf(',') + 1, choices: (known) => others(typed, known) };
    case 'replica':
      return { skip: 0, choices: replicas };
    default:
      // A group first; once that is typed, each of its replicas.
      return {
        skip: 0,
        choices: (known) => (typed.includes('/') ? replicas(known) : [...names(known), ...replicas(known)]),
      };
  }
}

/** `@web`: what is a label already has that meaning alone. */
export function groupNodesets(known: readonly KnownGroup[], labels: ReadonlySet<string>): Choice[] {
  return known
    .filter(({ nodes }) => nodes !== '')
    .map(({ name, nodes }) => ({
      value: labels.has(name) ? `@group:${name}` : `@${name}`,
      description: `group, on ${nodes}`,
    }));
}

function names(known: readonly KnownGroup[]): Choice[] {
  return known.map(({ name, state, ready, wanted, command }) => ({
    value: name,
    description: `${state}, ${ready}/${wanted}: ${command}`,
  }));
}

function numbers(known: readonly KnownGroup[]): Choice[] {
  return known.map(({ name, wanted, command }) => ({
    value: `${name}=`,
    description: `${wanted} now: ${command}`,
    open: true,
  }));
}

function others(typed: string, known: readonly KnownGroup[]): Choice[] {
  const named = new Set(typed.split(',').slice(0, -1));
  return names(known).filter(({ value }) => !named.has(value));
}

function replicas(known: readonly KnownGroup[]): Choice[] {
  return known.flatMap(({ name, command, replicas: all }) =>
    all.map(({ slot, node, phase }) => ({
      value: `${name}/${slot}`,
      description: `${node === undefined ? phase : `${phase} on ${node}`}: ${command}`,
    })),
  );
}
