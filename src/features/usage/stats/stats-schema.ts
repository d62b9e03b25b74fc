import { z } from '@hono/zod-openapi'
import { USAGE_LIMITS } from '../limits.js'
import { decimal, periodFields, Stats } from '../schema.js'
import { GROUPINGS, isZone } from './calendar.js'
import { GROUP_NAMES, type GroupName } from './groups-store.js'

const zone = z
  .string()
  .max(64, { abort: true })
  .refine(isZone, 'must be a time zone of the IANA database, such as Europe/Berlin')
  .default('UTC')
  .openapi({ description: 'The time zone of dates, and in which hours, days, weeks and months begin.' })

const isName = (text: string): text is GroupName => (GROUP_NAMES as readonly string[]).includes(text)
const by = z
  .string()
  .max(64)
  .transform((text, context) => {
    const names = text.split(',')
    if (names.every(isName) && new Set(names).size === names.length) return names
    context.addIssue({
      code: 'custom',
      message: `must be some of ${GROUP_NAMES.join(', ')}, each once, parted by commas`,
    })
    return z.NEVER
  })
  .optional()
  .openapi({
    type: 'string',
    description: `Also tell apart, in \`groups\` or rows: any of ${GROUP_NAMES.join(', ')}, parted by commas.`,
    example: 'model,alias',
  })

export const StatsQuery = z.object({
  ...periodFields,
  group_by: z.enum(GROUPINGS).default('day').openapi({ description: '`total`: the whole period as one.' }),
  tz: zone,
  by,
  format: z.enum(['json', 'csv', 'rows']).default('json').openapi({
    description:
      '`json`: the sums, and `groups` where `by` is given. `rows`: the groups alone, as a JSON array. `csv`: those.',
  }),
  latency: z.enum(['true', 'false']).default('false').openapi({
    description:
      '`true`: the summary, each period and each model also say how long requests took, of whole UTC hours: one that a bound cuts belongs to where it begins.',
  }),
  budgets: z.enum(['true', 'false']).default('false').openapi({
    description:
      '`true`: the JSON answer also has `budgets`, as `GET /api/v1/budgets` lists them: each in its own period.',
  }),
  formulas: z.enum(['escape', 'keep']).default('escape').openapi({
    description: 'Whether a CSV cell that a spreadsheet would run gets a quote in front.',
  }),
})

const amount = () => z.number().int()
const name = () => z.string().nullable().optional()
const Group = z
  .object({
    date: z.string().openapi({ description: 'As in `by_day`.', example: '2026-01-05' }),
    ...{ provider: name(), model: name(), alias: name(), profile: name(), origin: name() },
    requests: amount(),
    cost: decimal(),
    input_tokens: amount(),
    output_tokens: amount(),
    cached_input_tokens: amount(),
    cache_read_input_tokens: amount(),
    cache_write_5m_input_tokens: amount(),
    cache_write_1h_input_tokens: amount(),
    reasoning_tokens: amount(),
    reported: amount().openapi({ description: 'Requests of this `cost_status`, as the five that follow.' }),
    ...{ priced: amount(), free: amount(), no_price: amount(), unknown_model: amount(), no_registry: amount() },
  })
  .openapi('UsageGroup')
const MOST = `At most about ${USAGE_LIMITS.statsGroupsMax}, the names with the most requests; the others together as \`(other)\`.`
const Groups = z.array(Group).openapi({ description: MOST })

const Budgets = z.array(z.record(z.string(), z.unknown())).openapi({
  description: 'If they were asked for: as the `budgets` of `GET /api/v1/budgets`.',
})

export const StatsAnswer = z
  .union([Stats.extend({ groups: Groups.optional(), budgets: Budgets.optional() }).openapi('UsageStats'), Groups])
  .openapi('UsageStatsAnswer')
