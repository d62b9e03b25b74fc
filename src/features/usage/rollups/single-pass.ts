export type SinglePass = {
  /** Answers what a pass that began no earlier than this call answered. */
  run(): Promise<number>
  /** Waits for the passes that were asked for; never rejects. */
  idle(): Promise<void>
}

/** One pass at a time. Whoever asks during a pass gets another one after it: rows may have come behind the first. */
export function createSinglePass(pass: () => Promise<number>): SinglePass {
  let current: Promise<number> | undefined
  let next: Promise<number> | undefined

  const begin = (): Promise<number> => {
    const started = pass().finally(() => {
      if (current === started) current = undefined
    })
    current = started
    return started
  }

  return {
    run: (): Promise<number> => {
      if (current === undefined) return begin()
      next ??= current
        .catch(() => 0)
        .then(() => {
          next = undefined
          return begin()
        })
      return next
    },
    idle: async (): Promise<void> => {
      await (next ?? current)?.catch(() => 0)
    },
  }
}
