/**
 * The rules of DESIGN.md about who may import whom, read from the import statements of src, agent and shell. A new layer, package
 * or top-level entry is a decision: it goes into the tables here.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = dirname(import.meta.dirname);

/** Inside src each layer may import itself and those of a lower rank; equal ranks may import each other. */
const ranks: Readonly<Record<string, number>> = {
  ids: 0,
  protocol: 0,
  policy: 1,
  rpc: 2,
  link: 3,
  store: 3,
  coordination: 4,
  cluster: 5,
  'index.ts': 6,
};

/** Packages and the folders that may import them; a package that is not here may not be imported at all. */
const importers: Readonly<Record<string, readonly string[]>> = {
  valibot: ['src/', 'agent/', 'shell/'],
  unbash: ['shell/language/', 'shell/session/', 'shell/highlight/', 'shell/completion/'],
  'node-pty': ['agent/shim/'],
  ssh2: ['src/link/ssh/', 'shell/demo/'],
  'ssh-config': ['src/link/'],
  yaml: ['src/cluster/file/'],
  chokidar: ['agent/', 'src/cluster/file/'],
  '@xterm/headless': ['agent/screen/'],
  lmdb: ['agent/store/'],
  '@grpc/grpc-js': ['src/store/etcd/'],
  'string-width': ['shell/editor/'],
  ink: ['shell/interactive/'],
  react: ['shell/interactive/'],
};

/** What a one-shot command must not load before it knows that it needs it: each costs tens of milliseconds. */
const heavy: readonly string[] = [
  'node-pty',
  'ssh2',
  'ssh-config',
  'yaml',
  'chokidar',
  'lmdb',
  '@xterm/headless',
  '@grpc/grpc-js',
  'ink',
  'react',
];
const oneShotEntry = 'shell/main.ts';

const topLevel: ReadonlySet<string> = new Set(
  `package.json package-lock.json tsconfig.json build.mjs README.md LICENSE
   src agent shell test man`.split(/\s+/),
);
const maxLines = 400;
/** Loads the native part of node-pty, whose path depends on the machine. */
const computedImport = 'agent/shim/native-pty.ts';

/** Path from the root of the checkout → text. */
type Tree = ReadonlyMap<string, string>;

interface Import {
  readonly specifier: string;
  readonly kind: 'static' | 'type' | 'dynamic' | 'computed';
}

function findImports(text: string): Import[] {
  const code = withoutComments(text);
  const found: Import[] = [];
  const statement = /^(?:import|export)\b(\s+type\b)?(?:[^;'"`]*?\bfrom)?\s*['"]([^'"\n]+)['"]/gm;
  for (const [, type, specifier = ''] of code.matchAll(statement)) {
    found.push({ specifier, kind: type === undefined ? 'static' : 'type' });
  }
  const call = /(\btypeof\s+)?\b(?:import|require|require\.resolve)\(\s*(?:['"]([^'"\n]+)['"])?/g;
  for (const [, type, specifier] of code.matchAll(call)) {
    if (specifier === undefined) found.push({ specifier: '', kind: 'computed' });
    else found.push({ specifier, kind: type === undefined ? 'dynamic' : 'type' });
  }
  return found;
}

function withoutComments(text: string): string {
  const token = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;
  return text.replaceAll(token, (match) => (match.startsWith('/') ? '' : match));
}

function violations(tree: Tree, dependencies: ReadonlySet<string>): string[] {
  const found: string[] = [];
  for (const [path, text] of tree) {
    const lines = text.split('\n').length - 1;
    if (lines > maxLines) found.push(`${path} has ${lines} lines, more than ${maxLines}`);
    if (!/^[a-z0-9]+(-[a-z0-9]+)*\.tsx?$/.test(posix.basename(path))) found.push(`${path} is not in kebab-case`);
    for (const { specifier, kind } of findImports(text)) {
      if (kind === 'computed')
        found.push(...(path === computedImport ? [] : [`${path} imports what only a run can tell`]));
      else if (specifier.startsWith('.')) found.push(...checkRelative(path, resolveImport(path, specifier), tree));
      else if (!specifier.startsWith('node:')) found.push(...checkPackage(path, specifier, dependencies));
    }
  }
  return [...found, ...findCycles(tree), ...findHeavyAtStart(tree)];
}

function resolveImport(from: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(from), specifier));
}

function checkRelative(from: string, to: string, tree: Tree): string[] {
  if (!tree.has(to)) return [`${from} imports ${to}, which is not there`];
  const [fromTop = '', fromLayer = ''] = from.split('/');
  const [toTop = '', toLayer = ''] = to.split('/');
  if (toTop !== fromTop && toTop !== 'src') return [`${from} imports ${to}: ${fromTop} may import only itself and src`];
  if (fromTop !== 'src') return [];
  const [high, low] = [ranks[fromLayer], ranks[toLayer]];
  if (high === undefined) return [`${from} is in no known layer of src`];
  if (low === undefined) return [`${from} imports ${to}, which is in no known layer of src`];
  return low > high ? [`${from} imports ${to}: ${fromLayer} is below ${toLayer}`] : [];
}

function checkPackage(from: string, specifier: string, dependencies: ReadonlySet<string>): string[] {
  const name = packageOf(specifier);
  const allowed = importers[name];
  if (allowed === undefined) return [`${from} imports ${name}, which no rule allows`];
  if (!dependencies.has(name)) return [`${from} imports ${name}, which package.json does not name`];
  return allowed.some((folder) => from.startsWith(folder))
    ? []
    : [`${from} imports ${name}: only ${allowed.join(', ')} may`];
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Imports of types vanish before anything runs, so they close no cycle. */
function findCycles(tree: Tree): string[] {
  const state = new Map<string, 'open' | 'done'>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const known = state.get(path);
    if (known === 'open') found.push(`cycle: ${[...trail.slice(trail.indexOf(path)), path].join(' → ')}`);
    if (known !== undefined) return;
    state.set(path, 'open');
    for (const next of importedFiles(path, tree, ['static', 'dynamic'])) visit(next, [...trail, path]);
    state.set(path, 'done');
  };
  for (const path of tree.keys()) visit(path, []);
  return found;
}

function importedFiles(path: string, tree: Tree, kinds: readonly Import['kind'][]): string[] {
  const imports = findImports(tree.get(path) ?? '').filter(
    ({ kind, specifier }) => kinds.includes(kind) && specifier.startsWith('.'),
  );
  return imports.map(({ specifier }) => resolveImport(path, specifier)).filter((to) => tree.has(to));
}

function findHeavyAtStart(tree: Tree): string[] {
  const seen = new Set<string>(tree.has(oneShotEntry) ? [oneShotEntry] : []);
  for (const path of seen) for (const next of importedFiles(path, tree, ['static'])) seen.add(next);
  return [...seen].flatMap((path) => {
    const loaded = findImports(tree.get(path) ?? '').filter(({ kind }) => kind === 'static');
    const names = loaded.map(({ specifier }) => packageOf(specifier)).filter((name) => heavy.includes(name));
    return names.map((name) => `${path} loads ${name} with every command: import it where it is needed`);
  });
}

function readTree(): Tree {
  const tree = new Map<string, string>();
  for (const top of ['src', 'agent', 'shell']) {
    for (const entry of readdirSync(join(root, top), { withFileTypes: true, recursive: true })) {
      if (!entry.isFile() || !/\.tsx?$/.test(entry.name)) continue;
      const path = join(entry.parentPath, entry.name);
      tree.set(path.slice(root.length + 1), readFileSync(path, 'utf8'));
    }
  }
  return tree;
}

describe('the architecture', () => {
  it('has only imports that the layers of DESIGN.md allow', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    expect(violations(readTree(), new Set(Object.keys(manifest.dependencies)))).toEqual([]);
  });

  it('has no top-level entry beside those of DESIGN.md', () => {
    const ignored = readFileSync(join(root, '.gitignore'), 'utf8')
      .split('\n')
      .map((line) => line.replaceAll('/', ''));
    // Tools leave their own behind a dot, some only while they run.
    const entries = readdirSync(root).filter((name) => !name.startsWith('.') && !ignored.includes(name));
    expect(entries.filter((name) => !topLevel.has(name))).toEqual([]);
  });
});

describe('the rules themselves', () => {
  const check = (files: Readonly<Record<string, string>>) =>
    violations(new Map(Object.entries(files)), new Set(['ssh2', 'valibot', 'node-pty', 'yaml']));

  it('find nothing in a tree that keeps them', () => {
    const good = {
      'src/ids/gpid.ts': "/** Not an import: import('ssh2') */\nexport const one = 'import x from react';\n",
      'src/protocol/control.ts':
        "import * as v from 'valibot';\nimport { one } from '../ids/gpid.ts';\nexport { one, v };\n",
      'src/link/ssh/connect.ts': "import ssh2 from 'ssh2';\nexport { ssh2 };\n",
      'src/link/open.ts': "export const open = () => import('./ssh/connect.ts');\n",
      'shell/main.ts': "import { open } from '../src/link/open.ts';\nvoid open();\n",
    };
    expect(check(good)).toEqual([]);
  });

  it.each([
    ['a layer that imports a higher one', 'src/ids/a.ts', "import { b } from '../link/b.ts';", 'ids is below link'],
    ['a type of a higher layer', 'src/rpc/a.ts', "import type { B } from '../link/b.ts';", 'rpc is below link'],
    ['a dynamic import of a higher layer', 'src/rpc/a.ts', "void import('../link/b.ts');", 'rpc is below link'],
    ['an export from a higher layer', 'src/ids/a.ts', "export {\n  b,\n} from '../link/b.ts';", 'ids is below link'],
    [
      'the shell importing the agent',
      'shell/a.ts',
      "import { c } from '../agent/c.ts';",
      'shell may import only itself and src',
    ],
    [
      'the agent importing the shell',
      'agent/a.ts',
      "import { d } from '../shell/d.ts';",
      'agent may import only itself and src',
    ],
    [
      'the core importing the agent',
      'src/link/a.ts',
      "import { c } from '../../agent/c.ts';",
      'src may import only itself and src',
    ],
    ['an unknown layer', 'src/misc/a.ts', "import { b } from '../link/b.ts';", 'is in no known layer'],
    ['a file that is not there', 'src/link/a.ts', "import { x } from './x.ts';", 'which is not there'],
    ['node-pty outside the shim', 'agent/daemon/a.ts', "import * as pty from 'node-pty';", 'only agent/shim/ may'],
    ['a required native part of it', 'agent/daemon/a.ts', "require('node-pty/lib/native.js');", 'only agent/shim/ may'],
    ['a package without a rule', 'src/link/a.ts', "import chalk from 'chalk';", 'no rule allows'],
    ['a package that is not installed', 'shell/ui/a.ts', "import React from 'react';", 'package.json does not name'],
    ['a built-in module without its prefix', 'src/link/a.ts', "import fs from 'fs';", 'no rule allows'],
    ['a computed import', 'shell/a.ts', "const a = 'x'; void import(a);", 'only a run can tell'],
    ['a file of two cases', 'shell/fileName.ts', '', 'not in kebab-case'],
    ['a long file', 'shell/a.ts', '\n'.repeat(400), 'has 401 lines'],
  ])('find %s', (_what, path, text, message) => {
    const others = { 'src/link/b.ts': '', 'agent/c.ts': '', 'shell/d.ts': '' };
    expect(check({ ...others, [path]: `${text}\n` }).join('\n')).toContain(message);
  });

  it('find a cycle, and let types close none', () => {
    const one = "import { two } from './two.ts';\n";
    expect(check({ 'shell/one.ts': one, 'shell/two.ts': "void import('./one.ts');\n" })).toEqual([
      'cycle: shell/one.ts → shell/two.ts → shell/one.ts',
    ]);
    expect(check({ 'shell/one.ts': one, 'shell/two.ts': "import type { One } from './one.ts';\n" })).toEqual([]);
  });

  it('find a heavy package that every command would load', () => {
    const files = {
      'shell/main.ts': "import '../src/link/open.ts';\n",
      'src/link/open.ts': "import './ssh/connect.ts';\n",
      'src/link/ssh/connect.ts': "import ssh2 from 'ssh2';\n",
    };
    expect(check(files)).toEqual([expect.stringContaining('src/link/ssh/connect.ts loads ssh2 with every command')]);
  });
});
