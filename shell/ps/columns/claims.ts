/** What a process holds and waits for in the cluster's store: locks and their kin (nsh-coordination(7)). Attached by ps/attach-claims.ts. */
import { columns, type Cell, type Column } from './column.ts';
import type { Row, RowClaim } from '../row.ts';

function claimsCell(state: RowClaim['state']): Cell {
  const chosen = (row: Row): readonly RowClaim[] | undefined => row.claims?.filter((claim) => claim.state === state);
  const text = (row: Row): string | null => {
    const claims = chosen(row);
    return claims === undefined || claims.length === 0 ? null : claims.map(({ what }) => what).join(',');
  };
  return {
    needs: [],
    claims: true,
    value: text,
    // `?`: the store did not say.
    text: (row) => text(row) ?? (row.claims === undefined ? '?' : '-'),
    json: (row) => chosen(row)?.map(({ what, token }) => ({ what, token: String(token) })) ?? null,
    style: () => (state === 'waits' ? 'yellow' : undefined),
  };
}

export const claimColumns: readonly Column[] = [
  ...columns(claimsCell('holds'), 'left', [['locks', 'LOCKS', 5, { fits: true }]]),
  ...columns(claimsCell('waits'), 'left', [['waits', 'WAITS', 5, { fits: true }]]),
];
