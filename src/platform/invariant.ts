/** Stops the request if something that must be true is not: `promise` says what was promised. */
export function invariant(holds: unknown, promise: string): asserts holds {
  if (!holds) throw new Error(`Broken promise: ${promise}`)
}
