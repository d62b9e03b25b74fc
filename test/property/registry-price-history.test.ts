import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createPriceHistory, type PriceHistoryDeps } from '../../src/features/registry/price-history.js'
import { currentTarget } from '../../src/features/registry/providers.js'
import { readProviderFile } from '../../src/features/registry/registry-file.js'

/** What one version said: of each model its price of input, or that it has none; a model may be absent. */
type Version = { readonly version: number; readonly prices: Readonly<Record<string, number | null>> }
type Shown = {
  readonly from_version: number
  readonly to_version: number
  readonly first_seen_at: string | null
  readonly unit_prices: Readonly<Record<string, string>>
}

const MODELS = ['a', 'b', 'c'] as const
const INPUT = 'dollars_per_million_tokens_input'
const SEEN_FROM = Date.parse('2026-01-01T00:00:00Z')
const seenAt = (version: number) => SEEN_FROM + version * 3_600_000

const price = fc.constantFrom(null, 0, 0.15, 1, 2.5)
const prices = fc.dictionary(fc.constantFrom(...MODELS), price, { noNullPrototype: true })
/** Numbers with gaps: not every version is kept everywhere. */
const versions: fc.Arbitrary<Version[]> = fc
  .uniqueArray(fc.record({ version: fc.integer({ min: 1, max: 30 }), prices }), {
    minLength: 1,
    maxLength: 12,
    selector: ({ version }) => version,
  })
  .map((all) => all.sort((one, other) => one.version - other.version))

function bytesOf({ version, prices: known }: Version): Uint8Array<ArrayBuffer> {
  const models = Object.entries(known).map(([name, input]) => [`google:${name}`, { [INPUT]: input }])
  // A version has to have a model to be one.
  const file = { provider: 'google', version, models: { 'google:always': {}, ...Object.fromEntries(models) } }
  return new TextEncoder().encode(JSON.stringify(file))
}

/** A history over kept files that are held here; `inForce` is in memory alone. */
function historyOf(kept: readonly Version[], inForce?: Version) {
  const bodies = new Map(kept.map((one) => [String(one.version), bytesOf(one)]))
  const file = inForce === undefined ? undefined : readProviderFile(currentTarget('google'), bytesOf(inForce))
  const deps: PriceHistoryDeps = {
    versions: {
      list: async () =>
        kept.map(({ version }) => ({
          version,
          sha256: String(version),
          path: 'google/models.json',
          firstSeenAt: seenAt(version),
        })),
      body: async (_path, sha256) => bodies.get(sha256),
      archived: async () => [],
    },
    file: () => (file?.ok === true ? file.file : undefined),
    firstRound: () => undefined,
    loads: () => 1,
    clock: () => SEEN_FROM,
  }
  return createPriceHistory(deps)
}

async function spansOf(history: ReturnType<typeof historyOf>, model: string): Promise<readonly Shown[]> {
  const { rendered } = await history.find('google', model).catch(() => ({ rendered: undefined }))
  return rendered === undefined ? [] : JSON.parse(new TextDecoder().decode(rendered.bytes)).prices
}

/** The spans that hold at a version. */
const holdingAt = (spans: readonly Shown[], version: number) =>
  spans.filter(({ from_version: from, to_version: to }) => from <= version && version <= to)

const shownPrice = (input: number | null): Readonly<Record<string, string>> =>
  input === null ? {} : { [INPUT]: String(input) }

test('every version has in the history just the price that it said, and none if it had no such model', async () => {
  await fc.assert(
    fc.asyncProperty(versions, async (all) => {
      const history = historyOf(all)
      for (const model of MODELS) {
        const spans = await spansOf(history, model)
        for (const { version, prices: said } of all) {
          const holding = holdingAt(spans, version).map(({ unit_prices: unit }) => unit)
          expect(holding).toEqual(Object.hasOwn(said, model) ? [shownPrice(said[model] ?? null)] : [])
        }
      }
    }),
  )
})

test('spans are newest first, do not overlap, begin where they were seen, and are no longer than they must be', async () => {
  await fc.assert(
    fc.asyncProperty(versions, async (all) => {
      const history = historyOf(all)
      const place = (version: number) => all.findIndex((one) => one.version === version)
      for (const model of MODELS) {
        const spans = await spansOf(history, model)
        for (const [index, span] of spans.entries()) {
          expect(span.first_seen_at).toBe(new Date(seenAt(span.from_version)).toISOString())
          expect(place(span.to_version)).toBeGreaterThanOrEqual(place(span.from_version))
          const older = spans[index + 1]
          if (older === undefined) continue
          expect(older.to_version).toBeLessThan(span.from_version)
          const follows = place(older.to_version) + 1 === place(span.from_version)
          if (follows) expect(older.unit_prices).not.toEqual(span.unit_prices)
        }
      }
    }),
  )
})

test('the version in force counts once, kept or not, and was seen at no time if it is not', async () => {
  await fc.assert(
    fc.asyncProperty(versions, fc.boolean(), async (all, isKept) => {
      const inForce = all.at(-1)
      const history = historyOf(isKept ? all : all.slice(0, -1), inForce)
      for (const model of Object.keys(inForce?.prices ?? {})) {
        const [newest] = await spansOf(history, model)
        expect(newest?.to_version).toBe(inForce?.version)
        if (newest?.from_version !== inForce?.version) continue
        expect(newest?.first_seen_at === null).toBe(!isKept)
      }
    }),
  )
})

test('a file that cannot be read any more is passed over, and a database that fails is asked again', async () => {
  const broken = { version: 2, prices: { a: 1 } }
  const whole = { version: 3, prices: { a: 2 } }
  const files = new Map([
    ['2', new TextEncoder().encode('no JSON')],
    ['3', bytesOf(whole)],
  ])
  let fails = true
  const history = createPriceHistory({
    versions: {
      list: async () => {
        if (fails) throw new Error('away')
        return [broken, whole].map(({ version }) => ({ version, sha256: `${version}`, path: 'p', firstSeenAt: 0 }))
      },
      body: async (_path, sha256) => files.get(sha256),
      archived: async () => [],
    },
    file: () => undefined,
    firstRound: () => undefined,
    loads: () => 0,
    clock: () => 0,
  })
  await expect(history.find('google', 'a')).rejects.toThrow('away')
  fails = false
  expect((await spansOf(history, 'a')).map(({ from_version: from }) => from)).toEqual([3])
})
