import type { ProjectId } from '../../access/principal.js'
import { decimalFromPico, picoFromDecimal } from '../../core/pricing/index.js'
import type { Transact } from '../../db/transact.js'
import type { Clock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import type { Budget, BudgetTerms, Spending } from './budget.js'
import { BUDGET_LIMITS } from './limits.js'
import type { BudgetStore } from './store.js'

export type PutDeps = {
  readonly transact: Transact
  readonly store: Pick<BudgetStore, 'lockList' | 'replace'>
  readonly isZone: Spending['isZone']
  readonly clock: Clock
  readonly newId: () => string
}

export type PutInput = {
  readonly projectId: ProjectId
  readonly keyId: string | null
  readonly budgets: readonly BudgetTerms[]
}

/**
 * Sets these budgets in place of the ones before. One that stays as it was, but for its thresholds, keeps its id, and is
 * not told of again; any other is new. Throws `validation-failed`, and changes nothing then.
 */
export async function putBudgets(deps: PutDeps, { projectId, keyId, budgets }: PutInput): Promise<void> {
  const terms = budgets.map((one, index) => acceptTerms(deps, one, index))
  refuseTwins(terms)
  const at = new Date(deps.clock())
  await deps.transact(async (tx) => {
    const before = new Map((await deps.store.lockList(tx, projectId, keyId, at)).map((one) => [identityOf(one), one]))
    const next = terms.map((one): Budget => {
      const kept = before.get(identityOf(one))
      return { ...one, id: kept?.id ?? deps.newId(), createdAt: kept?.createdAt ?? at }
    })
    await deps.store.replace(tx, projectId, next)
  })
}

const scopeOf = ({ alias, profile, period, zone }: BudgetTerms): string =>
  JSON.stringify([alias, profile, period, zone])
const identityOf = (terms: BudgetTerms): string => `${terms.amount} ${scopeOf(terms)}`

function acceptTerms({ isZone }: PutDeps, terms: BudgetTerms, index: number): BudgetTerms {
  const pico = picoFromDecimal(terms.amount) ?? 0n
  const most = BUDGET_LIMITS.amountUsdMax
  if (pico <= 0n || pico > BigInt(most) * 10n ** 12n) throw invalid(index, 'amount', `must be above 0, at most ${most}`)
  if (!isZone(terms.zone)) {
    throw invalid(index, 'tz', 'must be a time zone of the IANA database, such as Europe/Berlin')
  }
  if (new Set(terms.thresholds).size < terms.thresholds.length) throw invalid(index, 'thresholds', 'must each be once')
  const thresholds = [...terms.thresholds].sort((one, other) => one - other)
  return { ...terms, amount: decimalFromPico(pico), thresholds }
}

function refuseTwins(terms: readonly BudgetTerms[]): void {
  const known = new Set<string>()
  for (const [index, one] of terms.entries()) {
    const scope = scopeOf(one)
    if (known.has(scope)) throw invalid(index, 'period', 'another budget is of the same alias, profile, period and tz')
    known.add(scope)
  }
}

function invalid(index: number, member: string, message: string): AppError {
  const pointer = `/budgets/${index}/${member}`
  return new AppError('validation-failed', `${pointer}: ${message}`, { errors: [{ pointer, message }] })
}
