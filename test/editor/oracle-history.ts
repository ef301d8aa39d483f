/** The history that sequences walk, oldest first; the same for bash and for the editor. */
export const oracleHistory = [
  'echo first one',
  'git commit -m "a message"',
  'ls -l /tmp | grep x',
  'git push origin main',
  'make -j8 all',
] as const;
