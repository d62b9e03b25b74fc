import { z } from '@hono/zod-openapi'
import { ROLE_MEANINGS, ROLES } from '../../access/principal.js'
import { instant } from '../../http/instant.js'
import { queryInteger } from '../../http/query-values.js'
import { PROJECT_LIMITS } from './limits.js'
import { isName, NAME_RULE } from './name.js'

const name = () => z.string().min(1).max(PROJECT_LIMITS.nameCharactersMax).refine(isName, NAME_RULE).nullish()
const role = () =>
  z.enum(ROLES).openapi({ description: ROLES.map((one) => `${one}: ${ROLE_MEANINGS[one]}`).join('. ') })
const projectId = () => z.uuid().openapi({ example: '019a3c5e-7d10-7a52-8f43-0b5d6a3c9e11' })
/** Without an example: no id is there on every server. */
const madeId = () => z.uuid()

export const ProjectSchema = z
  .object({
    id: projectId(),
    name: z.string().nullable(),
    origin: z.enum(['open', 'made']).openapi({ description: 'open: made by the first write of an unknown key.' }),
    created_at: instant(),
  })
  .openapi('Project')

const KeySchema = z
  .object({
    id: z.uuid(),
    project_id: projectId(),
    prefix: z.string().openapi({ description: 'What may be shown of the key.' }),
    name: z.string().nullable(),
    role: role(),
    created_at: instant(),
    revoked_at: instant().nullable(),
  })
  .openapi('Key')

export const NewKeySchema = KeySchema.extend({
  key: z.string().openapi({ description: 'The key itself. Shown this once and stored nowhere.' }),
}).openapi('NewKey')

export const CreateProjectBody = z.object({ name: name() }).openapi('CreateProject')
export const CreateKeyBody = z.object({ name: name(), role: role().default('write') }).openapi('CreateKey')

export const ProjectPath = z.object({ id: madeId() })
export const OwnKeyPath = z.object({ key_id: madeId() })
export const KeyPath = z.object({ id: madeId(), key_id: madeId() })

export const PageQuery = z.object({
  limit: queryInteger(1, 1000).default(100),
  after: z.uuid().optional().openapi({ description: 'The `next` of the page before.' }),
})

export const ProjectPage = z
  .object({ projects: z.array(ProjectSchema), next: z.string().nullable() })
  .openapi('ProjectPage')
export const KeyList = z.object({ keys: z.array(KeySchema) }).openapi('KeyList')
export const EraseQuery = z.object({
  confirm: z
    .string()
    .min(1)
    .max(2 * PROJECT_LIMITS.nameCharactersMax)
    .openapi({ description: "The project's id, which `GET /api/v1/keys` shows, or its name." }),
})
export const Revoked = z.object({ revoked: z.boolean() }).openapi('Revoked')
export const Erased = z
  .object({ erased: z.literal(true), rows: z.record(z.string(), z.number().int()) })
  .openapi('Erased')
export const ExportedLines = z.string().openapi({ description: 'NDJSON: `{type, …}` on each line.' })
