import { z } from '@hono/zod-openapi'
import { GATEWAY_LIMITS } from './limits.js'

const { messagesMax, modelCharactersMax } = GATEWAY_LIMITS

const model = () =>
  z.string().min(1).max(modelCharactersMax).optional().openapi({
    description: 'An alias, `provider:model`, a model that a provider lists, or `auto`. Without one: `auto`.',
    example: 'summarizer',
  })

/** What is not named here goes to the upstream as it came. */
export const ChatBody = z
  .looseObject({
    model: model(),
    messages: z
      .array(z.looseObject({ role: z.string().min(1) }))
      .min(1)
      .max(messagesMax),
    stream: z.boolean().nullish(),
    stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  })
  .openapi('ChatCompletionRequest')

export const ChatCompletion = z
  .looseObject({ choices: z.array(z.looseObject({})), usage: z.looseObject({}).nullish() })
  .openapi('ChatCompletion')
