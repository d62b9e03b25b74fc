/** What was done last on the way from pending leaves to a published checkpoint. */
type DurableStep = 'extended' | 'committed' | 'signed' | 'guarded' | 'saved'

/** Is told of each step before the next one is taken; a test makes it throw, as if the process ended there. */
export type OnStep = (step: DurableStep) => void | Promise<void>
