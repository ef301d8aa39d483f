/** What `nsh store status` shows, as text and as JSON. Pure. */
import { foldNames } from '../../src/ids/nodeset/index.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import type { StoreSpec } from '../../src/cluster/store-spec.ts';
import type { NshError } from '../../src/protocol/errors.ts';
import type { StoreMember, StoreStatus } from '../../src/store/store.ts';
import { escapeText } from '../escape.ts';
import { describeFailure } from '../gather.ts';
import { paint, renderTable, type TableColumn, type TableOptions } from '../table.ts';

export interface StoreReport {
  readonly store: StoreSpec;
  /** The node of an embedded store. */
  readonly holder?: NodeSpec;
  readonly status?: StoreStatus;
  /** Why it could not be asked. */
  readonly failure?: NshError;
  /** Who was asked whether it can log in to `holder`. */
  readonly asked?: readonly NodeSpec[];
  readonly unable: readonly { readonly node: NodeSpec; readonly error: NshError }[];
}

export function renderStatus(report: StoreReport, options: TableOptions): string {
  const { status, failure } = report;
  const health = status?.health ?? 'down';
  const style = { ok: 'green', degraded: 'yellow', down: 'red' } as const;
  const facts: (readonly [name: string, text: string])[] = [
    ['store', escapeText(where(report))],
    ['health', paint(health, style[health], options.colour)],
    ...(status?.version === undefined ? [] : [['version', escapeText(status.version)] as const]),
    ...(status?.revision === undefined ? [] : [['revision', String(status.revision)] as const]),
    ...(status?.sizeBytes === undefined ? [] : [['size', size(status.sizeBytes)] as const]),
    ...(status === undefined ? [] : [['survives', survives(report, status)] as const]),
    ...users(report),
  ];
  const warnings = failure === undefined ? (status?.warnings ?? []) : [failure.message];
  const width = Math.max(...facts.map(([name]) => name.length));
  return [
    ...facts.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`),
    ...warnings.map((text) => `warning: ${escapeText(text)}\n`),
    ...report.unable.map((each) => `warning: ${escapeText(describeFailure(each).replaceAll('\n', ' '))}\n`),
    ...(status?.backend === 'etcd' ? ['\n', renderTable(status.members, memberColumns, options)] : []),
  ].join('');
}

export function statusToJson(report: StoreReport): Record<string, unknown> {
  const { store, holder, status, failure, asked = [], unable } = report;
  const unableIds = new Set(unable.map(({ node }) => node.id));
  return {
    backend: store.backend,
    endpoints: status?.endpoints ?? (store.backend === 'etcd' ? store.endpoints : [holder?.name ?? 'localhost']),
    node: holder?.name ?? null,
    health: status?.health ?? 'down',
    version: status?.version ?? null,
    revision: status?.revision === undefined ? null : Number(status.revision),
    sizeBytes: status?.sizeBytes ?? null,
    faultTolerant: status?.faultTolerant ?? false,
    warnings: status?.warnings ?? [],
    members: status?.members ?? [],
    nodes: asked.map(({ id, name }) => ({ node: name, able: !unableIds.has(id) })),
    unable: unable.map(({ node, error }) => ({ node: node.name, error: { code: error.code, message: error.message } })),
    ...(failure === undefined ? {} : { error: { code: failure.code, message: failure.message } }),
  };
}

function where({ store, holder }: StoreReport): string {
  if (store.backend === 'etcd') return `etcd at ${store.endpoints.join(', ')}`;
  return holder === undefined ? 'embedded on this machine' : `embedded on ${holder.name}`;
}

function survives({ store, holder }: StoreReport, { faultTolerant }: StoreStatus): string {
  if (faultTolerant) return 'the loss of any one member';
  if (store.backend === 'etcd') return 'not the loss of a member';
  const name = escapeText(holder?.name ?? 'this machine');
  return `a restart of ${name}, not its loss: while it is away nothing can be locked or elected`;
}

function users({ holder, asked = [], unable }: StoreReport): (readonly [string, string])[] {
  if (holder === undefined || asked.length === 0) return [];
  const able = asked.filter(({ id }) => !unable.some(({ node }) => node.id === id)).map(({ name }) => name);
  const not = unable.map(({ node }) => node.name);
  return [
    ['used by', able.length === 0 ? '-' : escapeText(foldNames(able))],
    ...(not.length === 0
      ? []
      : [['unable', `${escapeText(foldNames(not))}: cannot log in to ${escapeText(holder.name)}`] as const]),
  ];
}

const memberColumns: readonly TableColumn<StoreMember>[] = [
  { header: 'MEMBER', text: ({ name }) => name },
  { header: 'ENDPOINT', text: ({ endpoint }) => endpoint },
  { header: 'VERSION', text: ({ version }) => version ?? '-' },
  {
    header: 'ROLE',
    text: ({ leader, problem }) => (problem !== undefined ? '-' : leader === true ? 'leader' : 'follower'),
  },
  { header: 'PROBLEM', text: ({ problem }) => problem ?? '', style: () => 'red' },
];

/** `512 B`, `3.1 KiB`, `12.0 MiB`. */
function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
