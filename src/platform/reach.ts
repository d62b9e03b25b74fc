/** Whether the database can be reached: what decides if something that was known before may still be answered. */
export type Reach = {
  isAway(): boolean
  /**
   * Asks something that changes nothing. `hasLastKnown` says that its caller has an older answer to fall back on: the
   * question is then repeated on another connection, and rejects as soon as it is clear that the database is away.
   */
  ask<T>(question: () => Promise<T>, hasLastKnown: boolean): Promise<T>
}

/** For what lasts one command: whatever is asked is asked of the database. */
export const ALWAYS_REACHED: Reach = { isAway: () => false, ask: (question) => question() }
