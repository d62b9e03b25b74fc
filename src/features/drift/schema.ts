import { z } from '@hono/zod-openapi'
import { DRIFT_KINDS } from '../../core/routing/index.js'
import { DRIFT_LIMITS } from './limits.js'

export const DriftQuery = z.object({
  profile: z.string().min(1).max(DRIFT_LIMITS.profileCharactersMax).default('default').openapi({ example: 'default' }),
})

const fact = () => z.union([z.string(), z.number()]).nullable()
const FactChange = z
  .object({
    field: z.string().openapi({ description: "The registry's field; `model` where a name means another model now." }),
    pinned: fact().openapi({ description: 'A price is a decimal string, a limit a number; null is unknown.' }),
    current: fact(),
  })
  .openapi('FactChange')

const ModelDrift = z
  .object({
    model: z.string().openapi({ description: 'As it is bound.' }),
    constraints: z.unknown().openapi({ description: 'Of a wildcard; null of every other model.' }),
    kind: z.enum(DRIFT_KINDS).openapi({
      description:
        '`gone`: the current version does not have the model. `inactive`: it is not offered any more. `unsatisfied`: no model satisfies the wildcard. `resolves_differently`: a wildcard, or another name of a model, stands for another model.',
    }),
    resolved: z.string().nullable().openapi({ description: 'The model of the registry that it is about.' }),
    changes: z.array(FactChange),
    aliases: z.array(z.string()).openapi({ description: 'The first of them, by name.' }),
    alias_count: z.number().int(),
  })
  .openapi('ModelDrift')

export const DriftReport = z
  .object({
    profile: z.string(),
    revision: z.number().int().openapi({ description: "The project's revision that was compared." }),
    drifted: z.boolean(),
    registry: z
      .record(
        z.string(),
        z.object({
          pinned: z.number().int().nullable().openapi({ description: 'null: only `gone`, `inactive`, `unsatisfied`.' }),
          current: z.number().int(),
        }),
      )
      .openapi({ description: 'By provider that is bound, the versions that were compared.' }),
    drift: z.array(ModelDrift).openapi({ description: 'By bound model.' }),
    warnings: z.array(z.string()).openapi({ description: 'What could not be compared.' }),
  })
  .openapi('DriftReport')
