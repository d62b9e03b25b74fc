import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until `check` passes, asking again and again; throws its last failure after `msMax`. */
export async function eventually<T>(check: () => T | Promise<T>, msMax = 10_000): Promise<T> {
  const giveUpAt = performance.now() + msMax
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > giveUpAt) throw error
      await sleep(20)
    }
  }
}
