/** Waits on a condition that no event tells of, with a bound. */

/** @throws Error that says what did not come, with the last reason. */
export async function waitUntil(
  isTrue: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 15_000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    if (await isTrue()) return;
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}
