import { z } from '@hono/zod-openapi'
import { GATEWAY_LIMITS } from './limits.js'

const { messagesMax, modelCharactersMax } = GATEWAY_LIMITS

export const DEFAULT_PROFILE = 'default'

const model = () =>
  z.string().min(1).max(modelCharactersMax).optional().openapi({
    description: 'An alias, `provider:model`, a model that a provider lists, or `auto`. Without one: `auto`.',
    example: 'summarizer',
  })

const message = () => z.looseObject({ role: z.string().min(1) })
const messages = () => z.array(message()).min(1).max(messagesMax)
const stream = () => z.boolean().nullish()
const EXTRAS = 'What is not named here goes on to a backend of the same language as it came.'

export const ChatBody = z
  .looseObject({
    model: model(),
    messages: messages(),
    stream: stream(),
    stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  })
  .openapi('ChatCompletionRequest', { description: EXTRAS })

export const MessagesBody = z
  .looseObject({ model: model(), messages: messages(), max_tokens: z.number().int().min(1), stream: stream() })
  .openapi('MessageRequest', { description: EXTRAS })

export const CountBody = z.looseObject({ model: model(), messages: messages() }).openapi('TokenCountRequest')

const usage = () => z.looseObject({}).nullish()

export const ChatCompletion = z
  .looseObject({ choices: z.array(z.looseObject({})), usage: usage() })
  .openapi('ChatCompletion')

export const Message = z
  .looseObject({ type: z.literal('message'), content: z.array(z.looseObject({})), usage: usage() })
  .openapi('Message')

export const TokenCount = z.object({ input_tokens: z.number().int() }).openapi('TokenCount')

export const ModelPath = z.object({
  model_id: z.string().min(1).max(modelCharactersMax).openapi({ example: 'summarizer' }),
})

export const ModelEntry = z
  .object({
    id: z.string(),
    object: z.literal('model'),
    type: z.literal('model'),
    created: z.number().int(),
    created_at: z.string(),
    owned_by: z.string(),
    display_name: z.string(),
  })
  .openapi('GatewayModel')

export const ModelList = z
  .object({
    object: z.literal('list'),
    data: z.array(ModelEntry),
    has_more: z.boolean(),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
  })
  .openapi('GatewayModelList')
