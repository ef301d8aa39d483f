/** Completion of a line of the session. */
export { complete } from './complete.ts';
export { clusterSources, type SessionKnowledge } from './cluster-sources.ts';
export { NodeNames, type NodeNamesOptions, type NodeRunner } from './node-names.ts';
export { clusterRunner, runHere } from './runners.ts';
export type {
  CompletionSources,
  KnownNode,
  KnownProcess,
  KnownVariable,
  ListedName,
  NamesQuestion,
  ProcessSelection,
} from './sources.ts';
export type { Choice, CommandShape, Completion, CompletionItem } from './types.ts';
export {
  moveMenu,
  openMenu,
  updateMenu,
  viewMenu,
  type Menu,
  type MenuCell,
  type MenuMove,
  type MenuSize,
  type MenuView,
} from './menu.ts';
