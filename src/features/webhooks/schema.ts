import { z } from '@hono/zod-openapi'
import { instant } from '../../http/instant.js'
import { WEBHOOK_LIMITS } from './limits.js'
import { SECRET_RULE } from './secret-text.js'

export const PutBody = z
  .object({
    url: z.string().min(1).max(WEBHOOK_LIMITS.urlCharactersMax).openapi({
      description: 'Where to POST to: `https://`, at public addresses only, unless the operator allows others.',
    }),
    secret: z
      .string()
      .min(1)
      .max(WEBHOOK_LIMITS.secretCharactersMax)
      .nullish()
      .openapi({
        description: `What the deliveries are signed with: ${SECRET_RULE}. Made here, and returned this once, if absent.`,
      }),
  })
  .openapi('PutWebhook')

export const WebhookSchema = z
  .object({
    url: z.string().nullable(),
    has_secret: z.boolean(),
    status: z.enum(['active', 'gone', 'none']).openapi({
      description: 'gone: the receiver answered 410; set it again. none: there is none.',
    }),
    created_at: instant().nullable(),
    key_id: z.uuid().nullable().openapi({ description: 'The key that set it.' }),
    waiting: z.number().int().openapi({ description: 'Deliveries that wait, the one under way included.' }),
    failures: z.number().int().openapi({ description: 'Attempts in a row that failed.' }),
    last_failure: z.string().nullable(),
    next_attempt_at: instant()
      .nullable()
      .openapi({ description: 'null if nothing waits. While an attempt is under way: when another may follow.' }),
  })
  .openapi('Webhook')

export const SetWebhook = WebhookSchema.extend({
  secret: z
    .string()
    .nullable()
    .openapi({ description: 'The secret that was made here, shown this once; null if one was sent.' }),
}).openapi('SetWebhook')

export const Deleted = z.object({ deleted: z.boolean() }).openapi('DeletedWebhook')
