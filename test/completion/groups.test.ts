/** Groups of processes in completion. */
import { describe, expect, it } from 'vitest';
import { completed, fakeSources, lines } from './fake-sources.ts';

const described = async (line: string): Promise<string[]> =>
  (await completed(line)).items.map(({ display, description = '' }) => `${display}  ${description}`);

describe('names of groups', () => {
  it('come behind the words of nsh group, and with = behind scale', async () => {
    expect(await described('group show ca')).toEqual(['cache  running, 2/2: serve']);
    expect(await lines('group rm cache q')).toEqual(['group rm cache queue ']);
    expect(await described('scale ca')).toEqual(['cache=  2 now: serve']);
    expect(await lines('scale ca')).toEqual(['scale cache=']);
    expect(await lines('scale cache=')).toEqual([]);
    expect(await lines('nsh scale cache=1 q')).toEqual(['nsh scale cache=1 queue=']);
    expect(await lines('group start x --apart cache,')).toEqual(['group start x --apart cache,queue ']);
  });

  it('come behind @ in nodesets, and as group:… where a label is called so', async () => {
    expect(await described('@@')).toEqual([
      '@gpu  web[1-2]',
      '@sql  db1',
      '@cache  group, on web[1-2]',
      '@queue  group, on db1',
    ]);
    const group = { name: 'gpu', state: 'running', ready: 1, wanted: 1, nodes: 'db1', command: 'x', replicas: [] };
    const likeLabel = fakeSources([], {
      async *groups() {
        yield [group, { ...group, name: 'gone', nodes: '' }];
      },
    });
    expect(await lines('@@g', likeLabel)).toEqual(['@@gpu ', '@@group:gpu ']);
    expect(await lines('run -n @c')).toEqual(['run -n @cache ']);
    expect(await lines('nsh node drain @c')).toEqual(['nsh node drain @cache ']);
  });

  it('are not asked for where the name of a node is typed', async () => {
    const deaf = fakeSources([], {
      groups: () => {
        throw new Error('asked');
      },
    });
    expect(await lines('@we', deaf)).toContain('@web1 ');
    expect(await lines('kill 1000', deaf)).toEqual(['kill 10004711 ', 'kill 10000001 ']);
  });
});

describe('replicas', () => {
  it('come behind kill, attach, wait and logs, where a group is one, too', async () => {
    for (const command of ['kill', 'attach', 'wait'])
      expect(await lines(`${command} ca`)).toEqual([`${command} cache/1 `, `${command} cache/2 `]);
    expect(await described('kill cache/2')).toEqual(['cache/2  ready on web2: serve']);
    expect(await lines('logs ca')).toEqual(['logs cache ', 'logs cache/1 ', 'logs cache/2 ']);
    expect(await lines('logs -f cache/')).toEqual(['logs -f cache/1 ', 'logs -f cache/2 ']);
  });
});

describe('nsh group', () => {
  it('offers the options of its word alone, with what they mean', async () => {
    expect(await lines('group show --')).toEqual(['group show --json ']);
    expect(await lines('group events -')).toEqual(['group events -f ', 'group events --json ']);
    expect(await described('group start --mem')).toEqual([
      '--memory=  what each asks for and is limited to (512M, none)',
    ]);
    expect(await lines('group start --ready l')).toEqual(['group start --ready log:']);
    expect(await lines('group start --restart=tr')).toEqual(['group start --restart=transient ']);
  });

  it('has a command of the nodes behind --', async () => {
    const sources = fakeSources([
      { name: 'serve', type: 'command' },
      { name: 'serve.conf', type: 'file' },
    ]);
    expect(await lines('group start web --on @gpu -n 3 -- ser', sources)).toEqual([
      'group start web --on @gpu -n 3 -- serve ',
    ]);
    expect(await lines('group update web -- serve ser', sources)).toEqual(['group update web -- serve serve.conf ']);
    expect(sources.asked.map(({ where, kind }) => `${kind} ${where}`)).toEqual(['command @gpu', 'path undefined']);
  });
});

describe('a command that other programs are called by', () => {
  it('is that of nsh only behind nsh', async () => {
    const sources = fakeSources([{ name: 'drain.js', type: 'file' }]);
    expect(await lines('node dr', sources)).toEqual(['node drain.js ']);
    expect(await lines('nsh node dr', sources)).toEqual(['nsh node drain ']);
  });
});
