/** A promise that is settled from outside, once; later attempts change nothing. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: Error) => void;
}

export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: Error) => void = () => {};
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  // Somebody may wait for one of several promises only; an unwatched rejection must not end the program.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
