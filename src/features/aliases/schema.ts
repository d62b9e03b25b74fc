import { z } from '@hono/zod-openapi'
import { canonicalText } from '../../core/lockfile/index.js'
import { jsonObject } from '../../http/body/json-object.js'
import { instant } from '../../http/instant.js'
import { limited } from '../../http/limited.js'
import { queryInteger } from '../../http/query-values.js'
import { ALIAS_LIMITS } from './limits.js'

const { nameCharactersMax, modelCharactersMax, modelsPerAliasMax, metadataBytesMax, constraintsBytesMax } = ALIAS_LIMITS
export const DEFAULT_PROFILE = 'default'

const emptyOrAliasName = () =>
  z
    .string()
    .max(nameCharactersMax)
    .refine((name) => name === '' || name.trim() !== '', 'must not be blank')
    // A URL path drops these two segments, so such an alias could never be addressed again.
    .refine((name) => name !== '.' && name !== '..', "must not be '.' or '..'")
    .openapi({ example: 'summarizer' })
const aliasName = () => emptyOrAliasName().min(1)
const profileName = () => z.string().min(1).max(nameCharactersMax).openapi({ example: DEFAULT_PROFILE })
const model = () => z.string().trim().min(1).max(modelCharactersMax).openapi({ example: 'openai:gpt-4o-mini' })

const metadata = jsonObject(metadataBytesMax)
const constraints = jsonObject(constraintsBytesMax).openapi('AliasConstraints', {
  properties: {
    min_context: { type: 'number', description: 'Tokens that the model takes, at least.' },
    max_cost: { type: 'number', description: 'USD per million input tokens, at most.' },
    requires: { type: 'array', items: { type: 'string' }, description: 'Capabilities, such as `vision`.' },
  },
  description:
    'What a wildcard such as `openai:*` has to satisfy. Any object is kept; what is not understood is ignored with a warning. Numbers are JSON’s: `10.0` is `10`, unless a lockfile bound it as `10.0` before, and integers beyond 2^53 are rounded. A lockfile’s digest tells those apart: publish a lockfile where the spelling matters.',
  example: { min_context: 100_000, max_cost: 1.5, requires: ['vision'] },
})
const models = limited(modelsPerAliasMax, z.array(model()).min(1).max(modelsPerAliasMax))

const bindingFields = {
  model: model().nullish(),
  models: models.nullish().openapi({ description: 'In order of preference.' }),
  constraints: constraints.nullish(),
  metadata: metadata.nullish().openapi({ type: ['object', 'null'] }),
  profile: profileName().nullish(),
}

type Models = { model?: string | null | undefined; models?: string[] | null | undefined }
const namesModel = (value: Models) => value.models != null || value.model != null
const agrees = (value: Models) => value.models == null || value.model == null || value.models[0] === value.model
const NAMES_MODEL = { message: 'model or models is required', path: ['model'] }
/** The same for the document: one of the two is there and is not null. */
const modelOrModels = () => ({
  anyOf: [
    { type: 'object' as const, required: ['model'], properties: { model: { type: 'string' as const } } },
    { type: 'object' as const, required: ['models'], properties: { models: { type: 'array' as const, items: {} } } },
  ],
})
const AGREES = { message: 'must be the first of models', path: ['model'] }

const BindBody = z
  .object({ alias: aliasName(), ...bindingFields })
  .refine(namesModel, NAMES_MODEL)
  .refine(agrees, AGREES)
  .openapi('BindAlias', modelOrModels())
export const PutBody = z
  .object(bindingFields)
  .refine(namesModel, NAMES_MODEL)
  .refine(agrees, AGREES)
  .openapi('PutAlias', modelOrModels())

/**
 * What is bound, as the store takes it: rendered at once, so that no parsed metadata is held until the write.
 * Constraints are spelt as lockfiles spell them, so that the same ones in another order change nothing. A number that
 * was parsed as JSON does not say any more whether it was `10` or `10.0`: an equal one that is bound keeps its spelling.
 */
const toContent = ({ model: one, models: many, constraints: limits, metadata: data }: z.output<typeof PutBody>) => {
  const spelt = limits == null ? 'null' : canonicalText(JSON.stringify(limits))
  return `{"keeps_spelling":true,"models":${JSON.stringify(many ?? [one])},"constraints":${spelt},"metadata":${JSON.stringify(data ?? null)}}`
}

/**
 * A binding without `models` is an old client's, which knows no fallbacks and sends `metadata: null` each time: where
 * its model is first already, it takes nothing away.
 */
const toKeepingContent = (body: z.output<typeof BindBody>) =>
  body.models == null ? `{"keeps":true,${toContent(body).slice(1)}` : toContent(body)

export const PutBinding = PutBody.transform((body) => ({ profile: body.profile ?? null, content: toContent(body) }))
export const Binding = BindBody.transform((body) => ({
  profile: body.profile ?? null,
  alias: body.alias,
  content: toKeepingContent(body),
}))

export const BulkBody = z.array(Binding).max(ALIAS_LIMITS.itemsPerBulkMax).nullish().openapi('BulkUpsertAliases')

export const AliasPath = z.object({ alias: aliasName() })
export const ProfileQuery = z.object({ profile: profileName().default(DEFAULT_PROFILE) })
export const BulkQuery = ProfileQuery.extend({
  expected_revision: queryInteger(0, Number.MAX_SAFE_INTEGER)
    .optional()
    .openapi({ description: 'Nothing is written, and the response is 412, if a profile changed after this revision.' }),
})
export const ListQuery = z.object({
  profile: profileName().optional(),
  limit: queryInteger(1, ALIAS_LIMITS.pageAliasesMax).optional().openapi({
    description:
      'A page of so many aliases, or fewer where they are large; `Link` names the next. All where it is absent.',
  }),
  after: z
    .string()
    .max(ALIAS_LIMITS.cursorCharactersMax)
    .optional()
    .openapi({ description: 'The cursor in the `Link` of the page before.' }),
})
export const ResolveQuery = z.object({
  alias: emptyOrAliasName().optional().openapi({ description: 'An empty one names no alias.' }),
  profile: profileName().default(DEFAULT_PROFILE),
})

export const AliasSchema = z
  .object({
    id: z.number().int().openapi({ description: 'Counts within the project.' }),
    project_id: z.uuid(),
    profile: z.string(),
    alias: z.string(),
    model: z.string(),
    models: z.array(z.string()),
    constraints: z.record(z.string(), z.unknown()).nullable(),
    metadata: z.record(z.string(), z.unknown()).nullable(),
    revision: z.number().int().openapi({ description: "The project's revision that last wrote the alias." }),
    created_at: instant(),
    updated_at: instant(),
    warnings: z.array(z.string()).optional().openapi({
      description:
        'A model without its provider; a member of `constraints` that is ignored; and, where it was just bound, a wildcard that stands for no model now.',
    }),
  })
  .openapi('Alias')
export const AliasList = z.array(AliasSchema).openapi('AliasList')

export const Resolved = z
  .object({
    alias: z.string(),
    model: z.string().nullable().openapi({
      description: 'null if the alias is unknown, and if it is bound to wildcards alone that stand for no model now.',
    }),
    models: z.array(z.string()).openapi({
      description: 'In order of preference; the first is `model`. Each wildcard is the model that it stands for now.',
    }),
    profile: z.string(),
    revision: z.number().int().openapi({ description: "The project's revision that the response is from." }),
    warnings: z
      .array(z.string())
      .optional()
      .openapi({ description: 'Only if a wildcard stands for no model now: why it is left out of `models`.' }),
  })
  .openapi('ResolvedAlias')

const revision = () => z.number().int().openapi({ description: "The project's revision that holds now." })
export const Deleted = z.object({ deleted: z.boolean(), revision: revision() }).openapi('DeletedAlias')
export const Updated = z
  .object({
    updated: z.number().int().openapi({ description: 'The items sent.' }),
    revision: revision(),
    warnings: z
      .array(z.string())
      .optional()
      .openapi({
        description: `Of the bindings that changed, ${ALIAS_LIMITS.warningsShownMax} at most.`,
      }),
  })
  .openapi('UpdatedAliases')
