import { describe, expect, test } from 'vitest'
import { NO_PROJECT } from '../../src/access/principal.js'
import type { UsageRow } from '../../src/features/usage/event.js'
import { keepCallRoom, type ObservedCall, type RecordCallDeps } from '../../src/features/usage/record/record-call.js'
import type { Recorded } from '../../src/features/usage/record/settle-replays.js'
import { AppError } from '../../src/platform/errors.js'

const SENDER = { projectId: NO_PROJECT, keyId: null }
const CALL: ObservedCall = {
  ...{ provider: 'openai', model: 'small', alias: 'summarizer', profile: 'default', origin: 'gateway' },
  ...{
    tokens: { input_tokens: 10, output_tokens: 3 },
    latencyMs: 12.5,
    costPico: 7_000n,
    metadata: '{"attempts":1}',
    isAwaited: false,
  },
}
const away = () => new AppError('database-unavailable', 'The database is not available; nothing was written.')
const refusal = () => new AppError('validation-failed', 'The database refuses a value of this event.')

/** A writer that fails so often, with these errors, and then takes the row. */
function openWriter(failures: readonly Error[], more: Partial<RecordCallDeps> = {}) {
  const rows: UsageRow[] = []
  let released = 0
  const write = async (row: UsageRow): Promise<Recorded> => {
    const failure = failures[rows.length]
    rows.push(row)
    if (failure !== undefined) throw failure
    return { status: 'written' }
  }
  const deps: RecordCallDeps = {
    ...{ clock: () => 1_767_225_600_000, newId: () => `id-${rows.length}`, retryMs: 1, onPriceable: () => undefined },
    findPrice: () => ({ status: 'unknown_model', registryVersion: null }),
    keepRoom: () => ({
      submit: write,
      release: () => {
        released += 1
      },
    }),
    ...{ submit: write, rowBytes: () => 100, ...more },
  }
  return { deps, rows, released: () => released }
}

describe('the row of a call that was observed', () => {
  test('is priced as it was told, and written once', async () => {
    const { deps, rows } = openWriter([])
    const { row, committed } = keepCallRoom(deps, SENDER).record(CALL)
    await committed
    expect(rows).toHaveLength(1)
    expect(row).toMatchObject({ cost: '0.000000007000', status: 'reported' })
    expect(rows[0]).toMatchObject({
      ...{ projectId: NO_PROJECT, cost: '0.000000007000' },
      event: { alias: 'summarizer', latencyMs: 12.5, metadata: '{"attempts":1}', parts: { input: 10, output: 3 } },
    })
  })

  test('is known before it is committed, so that no response waits for it', async () => {
    let release: (recorded: Recorded) => void = () => undefined
    const held = new Promise<Recorded>((resolve) => {
      release = resolve
    })
    const { deps } = openWriter([], { keepRoom: () => ({ submit: () => held, release: () => undefined }) })
    const { row, committed } = keepCallRoom(deps, SENDER).record(CALL)
    expect(row.id).toBe('id-0')
    release({ status: 'written' })
    await committed
  })

  test('is submitted again while the database is away, with the same id', async () => {
    const { deps, rows } = openWriter([away(), away(), away()])
    await keepCallRoom(deps, SENDER).record(CALL).committed
    expect(rows).toHaveLength(4)
    expect(new Set(rows.map(({ id }) => id)).size).toBe(1)
  })

  test('counts as written if a later attempt finds it there', async () => {
    const { deps, rows } = openWriter([away(), refusal()])
    await keepCallRoom(deps, SENDER).record(CALL).committed
    expect(rows).toHaveLength(2)
  })

  test('that is refused itself is given up at once, and told', async () => {
    const { deps, rows } = openWriter([refusal()])
    await expect(keepCallRoom(deps, SENDER).record(CALL).committed).rejects.toMatchObject({ code: 'validation-failed' })
    expect(rows).toHaveLength(1)
  })

  test('is given up after so many attempts', async () => {
    const { deps, rows } = openWriter([away(), away(), away(), away()], { attemptsMax: 3 })
    const { committed } = keepCallRoom(deps, SENDER).record(CALL)
    await expect(committed).rejects.toMatchObject({ code: 'database-unavailable' })
    expect(rows).toHaveLength(3)
  })

  test('needs room before the call, and gives it back where there was none', () => {
    const full = new AppError('overloaded', 'The write queue is full; nothing was written.')
    const refusing = openWriter([], {
      keepRoom: () => {
        throw full
      },
    })
    expect(() => keepCallRoom(refusing.deps, SENDER)).toThrow(full)
    const { deps, released } = openWriter([])
    keepCallRoom(deps, SENDER).release()
    expect(released()).toBe(1)
  })
})
