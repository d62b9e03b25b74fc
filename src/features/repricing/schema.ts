import { z } from '@hono/zod-openapi'
import { instant } from '../../http/instant.js'
import { JOB_STATUSES } from './job.js'
import { REPRICE_LIMITS } from './limits.js'

const time = (description: string) =>
  z.string().min(1).max(REPRICE_LIMITS.timeCharactersMax).openapi({ description, example: '2026-01-31' })
const dollars = () => z.string().openapi({ example: '0.000384000000', description: 'US dollars, exact.' })

export const StartBody = z
  .object({
    start: time('The first day or moment, as in stats.'),
    end: time('The last one, included. What comes later than now is not repriced.'),
    registry_version: z.string().min(1).max(REPRICE_LIMITS.versionCharactersMax).nullish().openapi({
      example: 'openai@7',
      description:
        'Versions to price with, `anthropic@9+openai@7`; events of other providers are left as they are. Absent: the prices in force at the time of each event. A model that was not listed then takes the first price that was published for it.',
    }),
    dry_run: z.boolean().openapi({ description: 'Count and add up the differences, and write nothing.' }),
  })
  .openapi('StartRepricing')

const sums = {
  events: z.number().int().openapi({ description: 'Events that were looked at.' }),
  changed: z.number().int().openapi({ description: 'Of them, those of which the price changes.' }),
  cost_before: dollars(),
  cost_after: dollars(),
}
export const JobSchema = z
  .object({
    id: z.uuid(),
    status: z.enum(JOB_STATUSES),
    dry_run: z.boolean(),
    start: instant(),
    end: instant().openapi({ description: 'Not included.' }),
    registry_version: z.string().nullable(),
    created_at: instant(),
    finished_at: instant().nullable(),
    reached: instant().nullable().openapi({ description: 'The time of the event that was looked at last.' }),
    progress: z.number().openapi({ description: 'How much of the period is done, from 0 to 1.' }),
    last_failure: z.string().nullable(),
    ...sums,
    skipped: z.number().int().openapi({ description: 'Events of providers that the named versions do not concern.' }),
    certified: z.object({ events: z.number().int(), cost: dollars(), repriced_cost: dollars() }).openapi({
      description: 'Events whose cost a receipt certifies: it stays. What they would cost stands beside it.',
    }),
    by_model: z.record(z.string(), z.object(sums)),
  })
  .openapi('Repricing')

export const JobPath = z.object({ job_id: z.uuid() })
export const JobList = z.object({ jobs: z.array(JobSchema) }).openapi('RepricingList')
export const Cancelled = z
  .object({ cancelled: z.boolean().openapi({ description: 'False if it was over already.' }), job: JobSchema })
  .openapi('CancelledRepricing')
