/**
 * The programs, bundled: dist/nsh.js and its siblings. What several of them share goes into few files, since a one-shot command pays
 * for each file that it opens more than for its length.
 */
import { defineConfig } from 'rolldown';

/**
 * What packages do while they are loaded, and the first prompt would wait for: a fifth of its time. Yoga takes its code out of its own text
 * by way of fetch, which loads a whole HTTP client; string-width builds tables for characters that few lines hold.
 */
const slow = [
  ['yoga-wasm-base64-esm.js', '"function"!=typeof fetch', 'true'],
  [
    'string-width/index.js',
    'const segmenter = new Intl.Segmenter();',
    'let made; const segmenter = { segment: text => (made ??= new Intl.Segmenter()).segment(text) };',
  ],
  [
    'string-width/index.js',
    String.raw`const rgiEmojiRegex = /^\p{RGI_Emoji}$/v;`,
    String.raw`let rgi; const rgiEmojiRegex = { test: text => (rgi ??= new RegExp('^\\p{RGI_Emoji}$', 'v')).test(text) };`,
  ],
];

const later = {
  name: 'later',
  found: new Set(),
  transform: {
    filter: { id: /yoga-wasm-base64-esm\.js$|string-width\/index\.js$/ },
    handler: (code, id) =>
      slow.reduce((text, [file, now, instead]) => {
        if (!id.endsWith(file) || !text.includes(now)) return text;
        later.found.add(now);
        return text.replaceAll(now, () => instead);
      }, code),
  },
  buildEnd() {
    for (const [file, now] of slow) if (!later.found.has(now)) this.error(`${file} no longer has: ${now}`);
  },
};

export default defineConfig({
  input: {
    nsh: 'shell/main.ts',
    'nsh-agent': 'agent/main.ts',
    'nsh-shim': 'agent/shim/main.ts',
    'nsh-screen': 'agent/screen/main.ts',
    index: 'src/index.ts',
  },
  platform: 'node',
  plugins: [later],
  // React has one half of its code for development, and Ink a door to developer tools that are not installed.
  transform: { define: { 'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"' } },
  // Native, large, or CommonJS: loaded from node_modules, and only by the part that needs them.
  external: ['react-devtools-core', 'node-pty', 'ssh2', 'ssh-config', 'yaml', 'chokidar', 'lmdb', /^@xterm\//, /^@grpc\//],
  // help.ts is loaded lazily by some and at once by others, which is no fault.
  checks: { ineffectiveDynamicImport: false },
  output: {
    cleanDir: true,
    dir: '.dist',
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    codeSplitting: {
      groups: [
        { name: 'core', test: /node_modules\/valibot|\/src\/(?:ids|protocol|rpc|policy)\/|\/src\/cluster\/[^/]*$/, minShareCount: 2, priority: 3 },
        { name: 'core', test: /\/src\/cluster\/file\/(?!yaml)/, priority: 2 },
        { name: 'shell', test: /\/shell\/(?:[^/]*|terminal\/.*|commands\/index\.ts)$/, priority: 1 },
        // The agent's own `feed` needs it, and none of the shell.
        { name: 'streams', test: /\/src\/cluster\/process-stream\//, priority: 1 },
      ],
    },
  },
});
