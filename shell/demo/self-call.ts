/** Words after `nsh demo` by which the demo calls itself; no person needs them. */

/** Be one node: node-main.ts. */
export const asNode = '--as-node';
/** Clean up after the demo in this directory: janitor.ts. */
export const asJanitor = '--as-janitor';
