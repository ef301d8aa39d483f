/** The sections of coordination and groups, on either store: eight hosts of their own for each, and none for what is of one machine. */
import type { Figure } from '../stats.ts';
import { benchGroups } from './groups.ts';
import { benchIdle } from './idle.ts';
import { benchNodeLoss } from './node-loss.ts';
import { benchPrimitives, benchPrimitivesHere } from './primitives.ts';
import { startGroupSetting, type GroupSetting } from './setting.ts';
import { benchSuccessor } from './successor.ts';

type Bench = readonly [name: string, bench: (setting: GroupSetting) => Promise<Figure[]>];

interface Stage {
  readonly start: () => Promise<GroupSetting>;
  readonly benches: readonly Bench[];
}

export function coordinationBenches(isQuick: boolean): readonly Stage[] {
  const runs = isQuick ? 50 : 300;
  const here: Bench = ['coordination.primitives', () => benchPrimitivesHere(runs)];
  const benches: readonly Bench[] = [
    ['coordination.primitives', (setting) => benchPrimitives(setting, runs)],
    ['coordination.groups', (setting) => benchGroups(setting, isQuick ? 2 : 7)],
    ['coordination.successor', (setting) => benchSuccessor(setting, isQuick ? 5 : 20)],
    ['coordination.idle', (setting) => (isQuick ? benchIdle(setting, 5, 10) : benchIdle(setting, 35, 30))],
    // The last one: it leaves fewer nodes.
    ['coordination.node-loss', (setting) => benchNodeLoss(setting, isQuick ? 1 : 3)],
  ];
  return (['embedded', 'etcd'] as const).map((kind) => ({
    start: () => startGroupSetting(kind),
    benches: kind === 'embedded' ? [here, ...benches] : benches,
  }));
}
