/** What a person should know of an etcd, from what its members said of themselves. Pure. */
import type { StoreMember, StoreStatus } from '../store.ts';

/** Older ones have faults that lose data or watch events (etcd 3.5's own upgrade guides). */
const leastVersion = [3, 5] as const;

/** One member, as far as it is known. */
export interface MemberReport {
  /** Absent where the list of members could not be had. */
  readonly id?: bigint;
  readonly name: string;
  readonly url: string;
  readonly isLearner: boolean;
  /** What it answered; absent: nothing. */
  readonly answer?: {
    readonly version: string;
    /** 0: it knows none. */
    readonly leader: bigint;
    readonly errors: readonly string[];
    readonly sizeBytes: number;
  };
  /** Why it gave no answer. */
  readonly failure?: string;
}

/**
 * @param endpoints as they were configured
 * @param revision of a linearizable read; absent where that failed: `why`
 */
export function describeEtcd(
  endpoints: readonly string[],
  reports: readonly MemberReport[],
  revision: bigint | undefined,
  why: string | undefined,
): StoreStatus {
  const members = reports.map(describeMember);
  const voters = reports.filter(({ isLearner }) => !isLearner);
  const well = voters.filter((report) => problemOf(report) === undefined).length;
  const quorum = Math.floor(voters.length / 2) + 1;
  const versions = reports
    .flatMap(({ answer }) => (answer === undefined ? [] : [answer.version]))
    .sort(compareVersions);
  const [oldest] = versions;
  const isServing = revision !== undefined;
  const warnings = [
    ...(isServing || why === undefined ? [] : [why]),
    ...members.flatMap(({ name, endpoint, problem }) =>
      problem === undefined ? [] : [`etcd member ${name} (${endpoint}): ${problem}`],
    ),
    ...(oldest !== undefined && isOld(oldest)
      ? [`etcd ${oldest} is older than ${leastVersion.join('.')}, and no longer maintained: upgrade it`]
      : []),
  ];
  return {
    backend: 'etcd',
    endpoints,
    ...(oldest === undefined ? {} : { version: oldest }),
    health: !isServing ? 'down' : members.some(({ problem }) => problem !== undefined) ? 'degraded' : 'ok',
    warnings,
    members,
    // Of those that are well one may go, and a majority of all is still there.
    faultTolerant: isServing && well - 1 >= quorum,
    ...(isServing ? { revision } : {}),
    ...(versions.length === 0 ? {} : { sizeBytes: Math.max(...reports.map(({ answer }) => answer?.sizeBytes ?? 0)) }),
  };
}

function describeMember(report: MemberReport): StoreMember {
  const { name, url, answer, id } = report;
  const problem = problemOf(report);
  return {
    name,
    endpoint: url,
    ...(answer === undefined ? {} : { version: answer.version }),
    ...(answer === undefined || id === undefined ? {} : { leader: answer.leader === id }),
    ...(problem === undefined ? {} : { problem }),
  };
}

function problemOf({ answer, failure }: MemberReport): string | undefined {
  if (answer === undefined) return failure ?? 'no answer';
  if (answer.leader === 0n) return 'it knows no leader: it cannot reach most of the others';
  const errors = answer.errors.filter((text) => !text.includes('no leader'));
  return errors.length === 0 ? undefined : errors.join(', ');
}

function isOld(version: string): boolean {
  return compareVersions(version, leastVersion.join('.')) < 0;
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map((part) => Number.parseInt(part, 10) || 0));
  for (let i = 0; i < 3; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
