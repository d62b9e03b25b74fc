import { z } from '@hono/zod-openapi'
import { instant } from '../../http/instant.js'
import { limited } from '../../http/limited.js'
import { queryInteger } from '../../http/query-values.js'
import { HISTORY_LIMITS } from './limits.js'

const { nameCharactersMax, aliasesPerPromotionMax, cursorCharactersMax, pageChangesMax, pageChangesDefault } =
  HISTORY_LIMITS

const name = () => z.string().min(1).max(nameCharactersMax)
const revisionNumber = () => z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const expectedRevision = revisionNumber()
  .nullish()
  .openapi({ description: 'Nothing is written, and the response is 412, if a profile changed after this revision.' })
const dryRun = z.boolean().nullish().openapi({ description: 'Only show what would change.' })

export const HistoryQuery = z.object({
  profile: name().optional(),
  alias: name().optional(),
  action: z.enum(['set', 'delete']).optional(),
  revision: queryInteger(1, Number.MAX_SAFE_INTEGER).optional(),
  limit: queryInteger(1, pageChangesMax).default(pageChangesDefault),
  after: z
    .string()
    .max(cursorCharactersMax)
    .optional()
    .openapi({ description: 'The cursor in the `Link` of the page before.' }),
})

export const RollbackBody = z
  .object({
    to_revision: revisionNumber().openapi({ description: '0: nothing bound.' }),
    profile: name().nullish().openapi({ description: 'All profiles if absent.' }),
    expected_revision: expectedRevision,
    dry_run: dryRun,
  })
  .openapi('RollbackAliases')

export const PromotePath = z.object({ from: name().openapi({ example: 'default' }) })
export const PromoteBody = z
  .object({
    to: name(),
    aliases: limited(aliasesPerPromotionMax, z.array(name()).min(1).max(aliasesPerPromotionMax))
      .nullish()
      .openapi({ description: 'The whole profile if absent, removals included.' }),
    expected_revision: expectedRevision,
    dry_run: dryRun,
  })
  .openapi('PromoteProfile')

const Meaning = z
  .object({
    models: z.array(z.string()),
    constraints: z.record(z.string(), z.unknown()).nullable(),
    metadata: z.record(z.string(), z.unknown()).nullable(),
  })
  .openapi('AliasMeaning', { description: 'What an alias meant.' })
const named = { profile: z.string(), alias: z.string() }

const Change = z
  .object({
    revision: z.number().int(),
    at: instant(),
    key: z
      .object({ label: z.string().nullable(), prefix: z.string() })
      .nullable()
      .openapi({ description: 'Whose change it was; null if no key is known for it.' }),
    note: z.string().nullable().openapi({ description: 'What its writer sent as `X-Change-Note`.' }),
    ...named,
    action: z.enum(['set', 'delete']),
    before: Meaning.nullable(),
    after: Meaning.nullable(),
  })
  .openapi('AliasChange')
export const History = z.array(Change).openapi('AliasHistory')

const Difference = z
  .object({
    added: z.array(Meaning.extend(named)),
    changed: z.array(z.object({ ...named, before: Meaning, after: Meaning })),
    removed: z.array(Meaning.extend(named)),
  })
  .openapi('AliasDiff')
export const Applied = z
  .object({
    revision: z.number().int().openapi({ description: "The project's revision that holds now." }),
    changed: z.boolean(),
    dry_run: z.boolean(),
    diff: Difference,
  })
  .openapi('AppliedDiff')

export const Profiles = z
  .object({
    profiles: z.array(
      z
        .object({
          name: z.string(),
          aliases: z.number().int(),
          revision: z.number().int().openapi({ description: 'The last one that changed it, deletions included.' }),
          updated_at: instant(),
        })
        .openapi('ProfileSummary'),
    ),
  })
  .openapi('Profiles')
