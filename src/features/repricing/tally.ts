import { decimalFromPico, picoFromDecimal } from '../../core/pricing/index.js'
import { invariant } from '../../platform/invariant.js'
import { REPRICE_LIMITS } from './limits.js'

/** Money is US dollars with 12 places; `events` counts all that were looked at, `changed` those of another price. */
type Sums = {
  readonly events: number
  readonly changed: number
  readonly cost_before: string
  readonly cost_after: string
}
/** What was found in the events so far, as it is stored and shown. */
export type Found = Sums & {
  /** Events that are left as they are: no such provider is in the named versions, or nothing is known of it yet. */
  readonly skipped: number
  /** Events whose cost a receipt certifies: it stays, and what they would cost stands beside it. */
  readonly certified: { readonly events: number; readonly cost: string; readonly repriced_cost: string }
  readonly by_model: Readonly<Record<string, Sums>>
}

/** One event: what it cost, and what it costs at the other prices. */
export type Difference = {
  readonly model: string
  readonly before: { readonly cost: string }
  readonly after: { readonly cost: string }
  readonly certified: boolean
}

const ZERO = decimalFromPico(0n)
const NO_SUMS: Sums = { events: 0, changed: 0, cost_before: ZERO, cost_after: ZERO }
export const NOTHING_FOUND: Found = {
  ...NO_SUMS,
  skipped: 0,
  certified: { events: 0, cost: ZERO, repriced_cost: ZERO },
  by_model: {},
}
const OTHER = '(other)'

/** What was found with these events added, exactly. `before` and `after` are the same object if nothing changes. */
export function addDifferences(found: Found, differences: readonly Difference[], skipped: number): Found {
  const byModel = new Map(Object.entries(found.by_model))
  let [all, certified] = [found as Sums, found.certified]
  for (const difference of differences) {
    const { model, before, after } = difference
    const name = byModel.has(model) || byModel.size < REPRICE_LIMITS.modelsMax ? model : OTHER
    byModel.set(name, addOne(byModel.get(name) ?? NO_SUMS, difference))
    all = addOne(all, difference)
    if (!difference.certified || before === after) continue
    certified = {
      events: certified.events + 1,
      cost: plus(certified.cost, before.cost),
      repriced_cost: plus(certified.repriced_cost, after.cost),
    }
  }
  const { events, changed, cost_before, cost_after } = all
  const sums = { events, changed, cost_before, cost_after }
  return { ...sums, skipped: found.skipped + skipped, certified, by_model: Object.fromEntries(byModel) }
}

function addOne(sums: Sums, { before, after, certified }: Difference): Sums {
  const isChanged = before !== after && !certified
  return {
    events: sums.events + 1,
    changed: sums.changed + (isChanged ? 1 : 0),
    cost_before: plus(sums.cost_before, before.cost),
    cost_after: plus(sums.cost_after, isChanged ? after.cost : before.cost),
  }
}

function plus(one: string, other: string): string {
  const [a, b] = [picoFromDecimal(one), picoFromDecimal(other)]
  invariant(a !== undefined && b !== undefined, 'a cost is a decimal')
  return decimalFromPico(a + b)
}
