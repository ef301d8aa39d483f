/** Asks every member of an etcd how it is, also those that no configured endpoint leads to. Never fails for one that is down. */
import { NshError } from '../../protocol/errors.ts';
import { defaultDeadlineMs } from '../limits.ts';
import type { CallOptions, StoreStatus } from '../store.ts';
import { call } from './call.ts';
import { describeEtcd, type MemberReport } from './describe-status.ts';
import type { Attempt, Endpoint } from './endpoint.ts';
import type { Endpoints } from './endpoints.ts';
import type { MemberStatus, OutputOf, memberListResponse } from './messages.ts';
import { memberList, range, status as statusMethod } from './methods.ts';
import { anyOf } from './waiting.ts';

type Member = OutputOf<typeof memberListResponse>['members'][number];
/** What came of asking at one URL. */
interface Answer {
  readonly url: string;
  readonly status?: MemberStatus;
  readonly failure?: string;
}

const openToAll =
  'etcd asks nobody who he is (its authentication is not enabled): the password is of no use, and whoever reaches it can read and write everything';
/** The most that one silent member may hold up the answer, ms. */
const memberMs = 2_000;

/** @throws NshError `cancelled` and `storeClosed` alone */
export async function readStatus(endpoints: Endpoints, options: CallOptions): Promise<StoreStatus> {
  const { signal, release } = anyOf(endpoints.closing.signal, options.signal);
  const wholeMs = options.deadlineMs ?? defaultDeadlineMs;
  const attempt: Attempt = {
    signal,
    deadline: performance.now() + Math.min(memberMs, wholeMs / 2),
    // Those without a leader shall answer as well.
    needsLeader: false,
  };
  try {
    const [probe, answers, members] = await Promise.all([
      readRevision(endpoints, { ...options, deadlineMs: wholeMs / 2 }),
      Promise.all(endpoints.all.map((endpoint) => ask(endpoint, attempt))),
      listMembers(endpoints, attempt),
    ]);
    const late = { ...attempt, deadline: performance.now() + Math.min(memberMs, wholeMs / 2) };
    const reports =
      members.length === 0
        ? answers.map((answer) => reportOf(answer, undefined))
        : await Promise.all(
            members.map(async (member) => reportOf(await findMember(endpoints, member, answers, late), member)),
          );
    const found = describeEtcd(endpoints.urls, reports, probe.revision, probe.why);
    return endpoints.login?.isOff === true ? { ...found, warnings: [...found.warnings, openToAll] } : found;
  } finally {
    release();
  }
}

/** By a linearizable read, which most of the members must be there for. */
async function readRevision(
  endpoints: Endpoints,
  options: CallOptions,
): Promise<{ readonly revision?: bigint; readonly why?: string }> {
  try {
    const request = { key: Buffer.from(endpoints.probeKey), countOnly: true };
    const { header } = await call(endpoints, range, request, { ...options, isWrite: false });
    return { revision: header?.revision ?? 0n };
  } catch (error) {
    if (!(error instanceof NshError) || error.code === 'cancelled' || error.code === 'storeClosed') throw error;
    return { why: error.message };
  }
}

async function ask(endpoint: Endpoint, attempt: Attempt): Promise<Answer> {
  try {
    await endpoint.connect(attempt);
    return { url: endpoint.url, status: await endpoint.unary(statusMethod, {}, attempt) };
  } catch (error) {
    return { url: endpoint.url, failure: endpoint.failureOf(error).details };
  }
}

/** As the first that answers has it; none where nobody does. */
async function listMembers(endpoints: Endpoints, attempt: Attempt): Promise<readonly Member[]> {
  const asked = endpoints.all.map(async (endpoint) => {
    await endpoint.connect(attempt);
    await endpoints.login?.need(endpoint, attempt);
    return (await endpoint.unary(memberList, {}, attempt)).members;
  });
  try {
    return await Promise.any(asked);
  } catch {
    return []; // Each endpoint's reason is told by `ask`.
  }
}

/** At a configured endpoint, else where the member says that clients reach it. */
async function findMember(
  endpoints: Endpoints,
  member: Member,
  answers: readonly Answer[],
  attempt: Attempt,
): Promise<Answer> {
  const known = answers.find(({ status }) => status?.header?.memberId === member.id);
  if (known !== undefined) return known;
  const failed = answers.find(({ url, failure }) => failure !== undefined && member.clientUrls.includes(url));
  if (failed !== undefined) return failed;
  let last: Answer = { url: member.clientUrls[0] ?? '-', failure: 'it does not tell where clients reach it' };
  for (const url of member.clientUrls) {
    last = await askAt(endpoints, url, attempt);
    if (last.status !== undefined) return last;
  }
  return last;
}

async function askAt(endpoints: Endpoints, url: string, attempt: Attempt): Promise<Answer> {
  let endpoint: Endpoint;
  try {
    endpoint = endpoints.another(url);
  } catch {
    return { url, failure: 'clients cannot reach it at such a URL' };
  }
  try {
    return await ask(endpoint, attempt);
  } finally {
    endpoint.close();
  }
}

function reportOf({ url, status, failure }: Answer, member: Member | undefined): MemberReport {
  const id = member?.id ?? status?.header?.memberId;
  return {
    ...(id === undefined ? {} : { id }),
    name: member === undefined || member.name === '' ? (id?.toString(16) ?? url) : member.name,
    url,
    isLearner: member?.isLearner ?? status?.isLearner ?? false,
    ...(failure === undefined ? {} : { failure }),
    ...(status === undefined
      ? {}
      : {
          answer: {
            version: status.version,
            leader: status.leader,
            errors: status.errors,
            sizeBytes: Number(status.dbSize),
          },
        }),
  };
}
