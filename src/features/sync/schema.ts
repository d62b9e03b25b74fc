import { z } from '@hono/zod-openapi'
import { queryInteger } from '../../http/query-values.js'
import { SYNC_LIMITS } from './limits.js'

export const SyncQuery = z.object({
  profile: z
    .string()
    .max(SYNC_LIMITS.profileCharactersMax)
    .optional()
    .openapi({ description: 'All of them if absent.' }),
  since: queryInteger(0, Number.MAX_SAFE_INTEGER)
    .default(0)
    .openapi({ description: 'The `revision` of the last response. 0: nothing is known yet.' }),
  epoch: z
    .string()
    .regex(
      /^[0-9a-f]{8}(-[0-9a-f]{4}){0,3}(-[0-9a-f]{12})?$/i,
      'must be the epoch of a response, or its first 8 characters',
    )
    .transform((epoch) => epoch.toLowerCase())
    .optional()
    .openapi({ description: 'The `epoch` of the last response.' }),
  wait: queryInteger(1, SYNC_LIMITS.waitSecondsMax)
    .optional()
    .openapi({ description: 'Seconds to wait for a change if there is none. `Prefer: wait=` means the same.' }),
})

const DeltaChange = z
  .object({
    revision: z.number().int().openapi({ description: 'The one that last changed the alias.' }),
    op: z.enum(['upsert', 'delete']),
    alias: z.string(),
    profile: z.string(),
    models: z.array(z.string()).openapi({ description: 'In order of preference; empty for a deletion.' }),
    constraints: z.record(z.string(), z.unknown()).nullable(),
    metadata: z.record(z.string(), z.unknown()).nullable(),
  })
  .openapi('DeltaChange')

export const Delta = z
  .object({
    epoch: z.uuid().openapi({ description: 'In which revisions count; another one after a restore or an erasure.' }),
    revision: z.number().int().openapi({ description: 'What to send as `since` next.' }),
    profile: z.string().nullable().openapi({ description: 'null: all of them.' }),
    reset: z.boolean().openapi({
      description: 'Forget everything that is known of the profile: `since` was of another epoch, or no revision yet.',
    }),
    changes: z.array(DeltaChange).openapi({ description: 'By revision. Aliases as they are now, each at most once.' }),
    more: z
      .boolean()
      .optional()
      .openapi({ description: 'Only in events: the rest follows at once, as further events.' }),
  })
  .openapi('AliasDelta')
