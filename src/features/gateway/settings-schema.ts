import { z } from '@hono/zod-openapi'

export const GatewaySettings = z
  .object({
    receipts: z.enum(['on_request', 'every_call']).openapi({
      description:
        '`on_request`: a call gets a receipt if it asks for one with `X-LLMRing-Receipt: true`. `every_call`: each call does, whoever makes it, as if it had asked.',
    }),
  })
  .openapi('GatewaySettings')
