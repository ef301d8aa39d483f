/** $PS_PERSONALITY and its kin, held against procps's ps on this machine. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeCluster, thisMachine } from './fake-cluster.ts';
import { askBoth } from './procps.ts';
import { startThreadedProcess, type ThreadedProcess } from './threaded-process.ts';

const cluster = fakeCluster([thisMachine()]);
let sample: ThreadedProcess;

beforeAll(async () => {
  sample = await startThreadedProcess();
});
afterAll(async () => {
  await sample.close();
});

const lines: Readonly<Record<string, readonly string[]>> = {
  'PS_PERSONALITY=linux': [
    '-p PID',
    '-l -p PID',
    '-f -p PID',
    '-fl -p PID',
    '-fly -p PID',
    '-LlF -p PID',
    'u p PID',
    'l p PID',
  ],
  'CMD_ENV=linux': ['-l -p PID'],
  'PS_PERSONALITY=posix': ['-p PID', '-l -p PID', 'u p PID', 'm p PID'],
  'PS_PERSONALITY=UNIX98': ['-f -p PID'],
  'PS_PERSONALITY=nobody-knows-it': ['-f -p PID'],
  'PS_PERSONALITY=svr4': ['-lx -p PID'],
  'PS_PERSONALITY=bsd': [
    'p PID',
    '-p PID',
    '-f -p PID',
    'u -p PID',
    'j p PID',
    'l p PID',
    'v p PID',
    's p PID',
    'm p PID',
    'H p PID',
    'h p PID',
    '-o pid,comm -p PID',
    '-A -p PID',
  ],
  'PS_PERSONALITY=old': ['-p PID', 'm p PID', 'j p PID', 'u p PID', 'X p PID'],
  'I_WANT_A_BROKEN_PS=': ['-p PID', 'm p PID'],
  'LIBPROC_HIDE_KERNEL=': ['-p 1,2,PID', '-o pid,comm --ppid 2'],
  'PS_FORMAT=DefSysV': ['-p PID'],
  'PS_FORMAT=DefBSD': ['-p PID'],
  'PS_FORMAT=nosuch': ['-p PID'],
  'NOTHING=': ['-o DefBSD,ni -p PID', '-o DefSysV -p PID', '-o DefBSD=X -p PID', 'X p PID', '-aux -p PID -L'],
};

describe.each(Object.entries(lines))('%s', (assignment, commands) => {
  it.each(commands)('ps %s', async (line) => {
    const [name = '', value = ''] = assignment.split('=');
    const args = line.split(' ').map((word) => word.replace('PID', String(sample.pid)));
    const { ours, theirs } = await askBoth(cluster, [...args, '--cols', '300'], {
      strip: true,
      env: { [name]: value },
    });
    expect(ours).toEqual(theirs);
  });
});
