const STEP_MS = 5;
const PATIENCE_MS = 15_000;

/** Waits until `read` gives something; fails with `what` when it does not in time. For conditions, not for measuring time. */
export const until = async <T>(what: string, read: () => T | Promise<T>): Promise<NonNullable<T>> => {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const value = await read();
    if (value) return value as NonNullable<T>;
    if (Date.now() > deadline) throw new Error(`waited ${PATIENCE_MS} ms for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
};
