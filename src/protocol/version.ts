/**
 * Protocol and program versions. Both ends of a control connection send the range they speak in `hello`
 * and use the highest that both know. Raise `protocolVersions.max` with each incompatible change and describe it in
 * man/nsh-protocol.7.
 */

export const protocolVersions = { min: 1, max: 1 } as const;

/** Version of the stream frames; sent in the open frame. */
export const streamVersion = 1;

export const programVersion = '0.1.0';

/** The highest version in both ranges; undefined where they do not meet. */
export function agreeOnVersion(
  ours: { readonly min: number; readonly max: number },
  theirs: { readonly min: number; readonly max: number },
): number | undefined {
  const highest = Math.min(ours.max, theirs.max);
  return highest >= Math.max(ours.min, theirs.min) ? highest : undefined;
}
