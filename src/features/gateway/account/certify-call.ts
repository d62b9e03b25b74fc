import type { ProjectId } from '../../../access/principal.js'
import type { Certify } from './ledger.js'

/** What is said in a receipt of a call that this service saw itself. The port of receipts has this shape. */
type ObservedClaims = {
  readonly id: string
  readonly timestamp: string
  readonly registry_version: string
  readonly provider: string
  readonly model: string
  readonly alias: string
  readonly profile: string
  readonly lock_digest: string
  readonly tokens: Readonly<Record<string, number>>
  readonly cost: { readonly amount: string; readonly unit_prices?: Readonly<Record<string, string>> }
}

export type CertifyDeps = {
  readonly issue: (projectId: ProjectId, claims: ObservedClaims) => Promise<unknown>
  /** The digest of the project's lockfile; null for a project without one. */
  readonly findLockDigest: (projectId: ProjectId) => Promise<string | null>
}

/** Without a version of prices the configuration's own, or none, were used. */
const NO_REGISTRY = 'none'

/** Issues the receipt of a call that was answered whole, after its row was committed. */
export function createCertify({ issue, findLockDigest }: CertifyDeps): Certify {
  return async ({ projectId, receiptId, alias, profile }, { provider, model }, { usage }, row) => {
    if (receiptId === null) return
    const { input, cacheRead, cacheWrite5m, cacheWrite1h, output, reasoning } = usage
    const digest = alias === null ? null : await findLockDigest(projectId)
    const others = { cache_write_5m: cacheWrite5m, cache_write_1h: cacheWrite1h, reasoning }
    await issue(projectId, {
      id: receiptId,
      timestamp: row.loggedAt,
      registry_version: row.registryVersion ?? NO_REGISTRY,
      provider: provider.name,
      model: `${provider.name}:${model}`,
      alias: alias ?? '',
      profile,
      lock_digest: digest ?? '',
      tokens: {
        input: input + cacheRead,
        output,
        cached_input: cacheRead,
        ...Object.fromEntries(Object.entries(others).filter(([, count]) => count > 0)),
      },
      cost: { amount: row.cost, ...(row.unitPrices === null ? {} : { unit_prices: row.unitPrices }) },
    })
  }
}
