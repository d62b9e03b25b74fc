import type { ProjectId } from '../../access/principal.js'
import type { Clock } from '../../platform/clock.js'
import { invariant } from '../../platform/invariant.js'
import { GATEWAY_LIMITS } from './limits.js'

/** Sums of calls: of all of them (`name` is null) first, then by model. USD as decimals. */
type CallSum = {
  readonly name: string | null
  readonly requests: number
  readonly spent: string
  readonly saved: string
}

export type StatsDeps = {
  readonly clock: Clock
  readonly sumCalls: (projectId: ProjectId, sinceMs: number) => Promise<readonly CallSum[]>
}

export type GatewayStats = {
  readonly total_requests: number
  readonly total_saved_usd: number
  readonly total_spent_usd: number
  readonly by_model: Readonly<Record<string, { requests: number; spent_usd: number; saved_usd: number }>>
}

/** What the calls of the last days cost, and what they cost less than the dearest candidate of each would have. */
export async function showStats({ clock, sumCalls }: StatsDeps, projectId: ProjectId): Promise<GatewayStats> {
  const sums = await sumCalls(projectId, clock() - GATEWAY_LIMITS.statsDays * 86_400_000)
  const [whole, ...models] = sums
  invariant(whole?.name === null, 'the sum of all calls comes first')
  return {
    total_requests: whole.requests,
    total_saved_usd: Number(whole.saved),
    total_spent_usd: Number(whole.spent),
    by_model: Object.fromEntries(
      models.map(({ name, requests, spent, saved }) => [
        name ?? '',
        { requests, spent_usd: Number(spent), saved_usd: Number(saved) },
      ]),
    ),
  }
}
