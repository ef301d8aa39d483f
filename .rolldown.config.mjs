/**
 * The programs, bundled: dist/nsh.js and its siblings. What several of them share goes into few files, since a one-shot command pays
 * for each file that it opens more than for its length.
 */
import { defineConfig } from 'rolldown';

export default defineConfig({
  input: {
    nsh: 'shell/main.ts',
    'nsh-agent': 'agent/main.ts',
    'nsh-shim': 'agent/shim/main.ts',
    'nsh-screen': 'agent/screen/main.ts',
    index: 'src/index.ts',
  },
  platform: 'node',
  // React has one half of its code for development, and Ink a door to developer tools that are not installed.
  transform: { define: { 'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"' } },
  // Native, large, or CommonJS: loaded from node_modules, and only by the part that needs them.
  external: ['react-devtools-core', 'node-pty', 'ssh2', 'ssh-config', 'yaml', 'chokidar', /^@xterm\//],
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
        { name: 'shell', test: /\/shell\/(?:[^/]*|terminal\/.*|commands\/index\.ts)$|\/src\/cluster\/process-stream\//, priority: 1 },
      ],
    },
  },
});
