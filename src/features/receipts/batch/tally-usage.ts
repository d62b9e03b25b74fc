import { decimalFromPico, picoFromDecimal } from '../../../core/pricing/index.js'
import type { BatchContent, CertifiedPart } from '../../../core/proof/index.js'
import { AppError } from '../../../platform/errors.js'
import { invariant } from '../../../platform/invariant.js'
import { BATCH_LIMITS } from '../limits.js'
import { countsOf, isUnpriced, type LoggedUsage } from './logged-usage.js'

type Sum = { calls: number; pico: bigint; tokens: bigint }
type Totals = Pick<
  BatchContent,
  | 'count'
  | 'tokens'
  | 'cost'
  | 'unpriced'
  | 'startDate'
  | 'endDate'
  | 'byModel'
  | 'byAlias'
  | 'registryVersion'
  | 'single'
>

const NONE = '(none)'
const OTHER = '(other)'

/** Sums of calls as they pass by, in memory that does not grow with them. */
export function createTally() {
  const counts = new Map<string, bigint>()
  const [models, aliases] = [new Map<string, Sum>(), new Map<string, Sum>()]
  const versions = new Set<string>()
  let [count, unpriced, pico] = [0, 0, 0n]
  let [firstMs, lastMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  let one: LoggedUsage | undefined

  const add = (row: LoggedUsage): void => {
    const cost = picoFromDecimal(row.cost)
    invariant(cost !== undefined, 'a cost is stored as a decimal')
    const sum = { calls: 1, pico: cost, tokens: BigInt((row.inputTokens ?? 0) + (row.outputTokens ?? 0)) }
    for (const [kind, value] of Object.entries(countsOf(row)))
      counts.set(kind, (counts.get(kind) ?? 0n) + BigInt(value))
    addTo(models, row.model, sum)
    addTo(aliases, row.alias ?? NONE, sum)
    if (versions.size < BATCH_LIMITS.registryVersionsMax) versions.add(row.registryProviderVersion ?? '')
    count += 1
    unpriced += isUnpriced(row) ? 1 : 0
    pico += cost
    firstMs = Math.min(firstMs, row.loggedAt.getTime())
    lastMs = Math.max(lastMs, row.loggedAt.getTime())
    one = row
  }
  /** Throws `validation-failed` where a count is beyond what a receipt can say. There is at least one call. */
  const totals = (): Totals => ({
    ...{ count, unpriced, cost: decimalFromPico(pico) },
    tokens: { input: 0, output: 0, cached_input: 0, ...Object.fromEntries([...counts].map(([k, n]) => [k, exact(n)])) },
    startDate: new Date(firstMs).toISOString(),
    endDate: new Date(lastMs).toISOString(),
    ...{ byModel: partsOf(models), byAlias: partsOf(aliases), registryVersion: versionOf(versions) },
    single: count === 1 ? (one ?? null) : null,
  })
  return { add, count: () => count, totals }
}

function addTo(sums: Map<string, Sum>, name: string, { calls, pico, tokens }: Sum): void {
  const isKnown = sums.has(name) || sums.size < BATCH_LIMITS.namesTalliedMax
  const key = isKnown ? name : OTHER
  const sum = sums.get(key) ?? { calls: 0, pico: 0n, tokens: 0n }
  sums.set(key, { calls: sum.calls + calls, pico: sum.pico + pico, tokens: sum.tokens + tokens })
}

/** The names with the most calls, as many as fit; the others together. */
function partsOf(sums: ReadonlyMap<string, Sum>): Record<string, CertifiedPart> {
  const ranked = [...sums].sort(([one, { calls }], [other, { calls: more }]) => more - calls || (one < other ? -1 : 1))
  const shown = new Map<string, Sum>()
  let bytesLeft: number = BATCH_LIMITS.summaryBytesMax
  for (const [name, sum] of ranked) {
    bytesLeft -= Buffer.byteLength(JSON.stringify(name)) + BATCH_LIMITS.summaryPartBytes
    const isShown = bytesLeft >= 0 && shown.size < BATCH_LIMITS.summaryNamesMax
    const key = isShown ? name : OTHER
    const { calls, pico, tokens } = shown.get(key) ?? { calls: 0, pico: 0n, tokens: 0n }
    shown.set(key, { calls: calls + sum.calls, pico: pico + sum.pico, tokens: tokens + sum.tokens })
  }
  const rendered = [...shown].map(([name, { calls, pico, tokens }]) => {
    return [name, { calls, cost: decimalFromPico(pico), tokens: exact(tokens) }] as const
  })
  return Object.fromEntries(rendered)
}

/** The versions that the costs were computed at. */
function versionOf(versions: ReadonlySet<string>): string {
  const known = [...versions].filter((version) => version !== '').sort()
  if (known.length === 0) return 'none'
  const text = known.join('+')
  return text.length <= BATCH_LIMITS.registryVersionCharactersMax ? text : 'various'
}

function exact(sum: bigint): number {
  if (sum <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(sum)
  throw new AppError(
    'validation-failed',
    'The tokens of these calls are more than one receipt can count: choose fewer.',
  )
}
