/** Shells that `nsh completion` has a script for. */
export const defaultShells = ['bash', 'zsh', 'fish'] as const;
export type ShellName = (typeof defaultShells)[number];
