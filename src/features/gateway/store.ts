import type { ProjectId } from '../../access/principal.js'
import { bounded } from '../../db/bounded.js'
import type { Sql } from '../../db/client.js'
import { GATEWAY_LIMITS } from './limits.js'

/** What feedback taught, with the project: it goes when that is erased. */
export type ThresholdStore = ReturnType<typeof createThresholdStore>

export function createThresholdStore(sql: Sql) {
  return {
    /** Undefined if nothing was learned. */
    find: async (projectId: ProjectId): Promise<number | undefined> => {
      const query = sql<{ learned: number | null }[]>`
        select learned_threshold as learned from projects where id = ${projectId}`
      const [row] = await bounded(query, GATEWAY_LIMITS.thresholdMsMax)
      return row?.learned ?? undefined
    },

    /** Moves it by a step from where it is, or `first`, inside its bounds; undefined for a project that is gone. */
    move: async (projectId: ProjectId, first: number, step: number, least: number, most: number) => {
      const query = sql<{ learned: number }[]>`
        update projects set learned_threshold = least(${most}::float8, greatest(${least}::float8,
          coalesce(learned_threshold, ${first}::float8) + ${step}::float8))
        where id = ${projectId} and erased_at is null
        returning learned_threshold as learned`
      const [row] = await bounded(query, GATEWAY_LIMITS.thresholdMsMax)
      return row?.learned
    },
  }
}

/** Whether a project's calls get receipts unasked, with the project: it goes when that is erased. */
export type CertifiesStore = ReturnType<typeof createCertifiesStore>

export function createCertifiesStore(sql: Sql) {
  return {
    find: async (projectId: ProjectId): Promise<boolean> => {
      const query = sql<{ certifies: boolean }[]>`
        select certifies_calls as certifies from projects where id = ${projectId}`
      const [row] = await bounded(query, GATEWAY_LIMITS.settingsMsMax)
      return row?.certifies ?? false
    },

    /** False for a project that is gone. */
    set: async (projectId: ProjectId, certifies: boolean): Promise<boolean> => {
      const query = sql<{ id: string }[]>`
        update projects set certifies_calls = ${certifies} where id = ${projectId} and erased_at is null returning id`
      return (await bounded(query, GATEWAY_LIMITS.settingsMsMax)).length === 1
    },
  }
}
