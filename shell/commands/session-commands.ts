/**
 * Builtins that only a session has, as `help` tells of them: they are no commands of `nsh NAME`. What carries them out is in shell/session
 * (jobs, `on`) and shell/interactive (`history`).
 */
import type { Described } from '../command.ts';

const jobSpecs = `A job is %1, %+ or %% (the current one), %- (the one before), %TEXT (its line begins so) or %?TEXT (its line has it).`;

export const sessionCommands: readonly Described[] = [
  {
    name: 'on',
    synopsis: ['[NODE]'],
    summary: 'move the session to a node, or tell where it is',
    options: [],
    details: [
      `Lines without @ run there from then on. 'on localhost' comes back to this machine; '@NODE COMMAND' runs one command there and moves nothing.`,
    ],
  },
  {
    name: 'jobs',
    synopsis: ['[-lp]'],
    summary: 'list the jobs of the session',
    options: [
      { short: 'l', summary: 'with their cluster PIDs' },
      { short: 'p', summary: 'only these' },
    ],
    details: [jobSpecs],
  },
  {
    name: 'fg',
    synopsis: ['[JOB]'],
    summary: 'continue a job in the foreground',
    options: [],
    details: [`Every stage of it goes on, on whichever node it runs. Without a JOB, the current one. ${jobSpecs}`],
  },
  {
    name: 'bg',
    synopsis: ['[JOB…]'],
    summary: 'continue stopped jobs in the background',
    options: [],
    details: [`Without a JOB, the current one. ${jobSpecs}`],
  },
  {
    name: 'disown',
    synopsis: ['[-a] [JOB…]'],
    summary: 'forget jobs; what they run goes on',
    options: [{ short: 'a', summary: 'all of them' }],
    details: [`Without a JOB, the current one. 'ps -a' still shows what is forgotten. ${jobSpecs}`],
  },
  {
    name: 'history',
    synopsis: ['[COUNT]'],
    summary: 'show the lines that were run, the newest last',
    options: [],
    details: [
      'It is shared by all sessions of this user. Lines that begin with a blank are not kept. Ctrl-R searches, Up and Down walk through it.',
    ],
  },
];

/** Name and summary of each. */
export const sessionSummaries: readonly (readonly [name: string, summary: string])[] = sessionCommands.map(
  ({ name, summary }) => [name, summary],
);

export function findSessionCommand(name: string): Described | undefined {
  return sessionCommands.find((each) => each.name === name);
}
