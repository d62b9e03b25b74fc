import { z } from '@hono/zod-openapi'
import { queryInteger } from '../../http/query-values.js'
import { LOCKFILES_LIMITS } from './limits.js'

const { nameCharactersMax, digestCharacters } = LOCKFILES_LIMITS
const name = () => z.string().min(1).max(nameCharactersMax).openapi({ example: 'default' })

export const PutQuery = z.object({
  profile: name()
    .optional()
    .openapi({ description: 'Publishes only this profile of the file, and its registry versions.' }),
  expected_revision: queryInteger(0, Number.MAX_SAFE_INTEGER)
    .optional()
    .openapi({ description: 'Nothing is written, and the response is 412, if something changed after this revision.' }),
  dry_run: z.enum(['true', 'false']).optional().openapi({ description: 'Only show what would change.' }),
})
export const GetQuery = z.object({ profile: name().optional().openapi({ description: 'Shows only this profile.' }) })
export const DigestPath = z.object({
  digest: z
    .string()
    .regex(new RegExp(`^[0-9a-f]{${digestCharacters}}$`), `must be ${digestCharacters} lower-case hexadecimal digits`),
})

/** The reader of lockfiles says what is wrong with one. */
export const LockfileBody = z
  .unknown()
  .refine((body) => body !== undefined, 'is required')
  .openapi('Lockfile', {
    type: 'object',
    description: 'A lockfile of the LLMRing clients, as TOML or as JSON with the same members.',
  })

const Meaning = z.object({
  models: z.array(z.string()),
  constraints: z.record(z.string(), z.unknown()).nullable(),
})
const named = { profile: z.string(), alias: z.string() }
const Difference = z
  .object({
    added: z.array(Meaning.extend(named)),
    changed: z.array(z.object({ ...named, before: Meaning, after: Meaning })),
    removed: z.array(Meaning.extend(named)),
  })
  .openapi('LockfileDiff')
export const Put = z
  .object({
    revision: z.number().int().openapi({ description: "The project's revision that holds now." }),
    changed: z.boolean(),
    digest: z.string().openapi({ description: "Of the project's lockfile, as the clients compute it." }),
    dry_run: z.boolean(),
    diff: Difference,
    lockfile: z.string().openapi({
      description: 'The file to keep, in the format that was sent: with its times, if it had none.',
    }),
    warnings: z.array(z.string()),
  })
  .openapi('PublishedLockfile')
export const Shown = z.string().openapi({ description: 'The lockfile.' })
