import { z } from '@hono/zod-openapi'

/** What a client wants to hear of the log. */
export const LogQuery = z.object({
  wait: z.literal('logged').optional().openapi({
    description:
      'Answer once a published checkpoint covers the receipt, or after 60 s; `Prefer: wait=5` sets another time.',
  }),
  include: z.literal('proof').optional().openapi({
    description: 'Answer with `log_proof` beside the receipt; null while no published checkpoint covers it.',
  }),
})

export const ReceiptProof = z
  .looseObject({
    index: z.number().int(),
    proof: z.array(z.string()).openapi({ description: 'The inclusion proof: hashes of 32 bytes in base64.' }),
    checkpoint: z.string().openapi({ description: 'A signed note.' }),
  })
  .openapi('ReceiptProof', { description: 'c2sp.org/tlog-proof.' })
export const ReceiptProofForms = z.union([z.string().openapi({ description: 'A `.tlog-proof` file.' }), ReceiptProof])
