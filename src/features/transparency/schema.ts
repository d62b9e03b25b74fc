import { z } from '@hono/zod-openapi'

const HEX = /^[0-9a-f]{64}$/
const BASE64URL = /^[A-Za-z0-9_-]{43}$/

/** The 32 bytes, in one spelling of each. */
function readHash(text: string): Uint8Array | undefined {
  if (HEX.test(text)) return new Uint8Array(Buffer.from(text, 'hex'))
  const bytes = Buffer.from(text, 'base64url')
  return BASE64URL.test(text) && bytes.toString('base64url') === text ? new Uint8Array(bytes) : undefined
}

export const ProofQuery = z.object({
  hash: z
    .string()
    .max(64)
    .transform((text, context): Uint8Array => {
      const bytes = readHash(text)
      if (bytes !== undefined) return bytes
      context.addIssue('must be 64 lowercase hexadecimal digits, or 43 characters of base64url')
      return z.NEVER
    })
    .openapi({
      type: 'string',
      description: 'The entry: the SHA-256 of a receipt’s canonical bytes, as 64 hexadecimal digits or in base64url.',
    }),
})

const treeSize = (description: string) =>
  z
    .string()
    .regex(/^(0|[1-9]\d{0,15})$/, 'must be a whole number')
    .transform(Number)
    .refine(Number.isSafeInteger, 'must be a whole number below 2^53')
    .openapi({ type: 'integer', minimum: 0, description, example: 0 })

export const ConsistencyQuery = z.object({
  from: treeSize('The size of the older tree; 0 if it is left out.').optional(),
  to: treeSize('The size of the newer one; that of the newest checkpoint if it is left out.').optional(),
})

const hashes = z.array(z.string()).openapi({ description: 'From the leaves up, 32 bytes each, in base64.' })

const JsonProof = z
  .object({
    index: z.int().openapi({ description: 'The entry’s place in the log, from 0.' }),
    proof: hashes,
    checkpoint: z.string().openapi({ description: 'The signed note under which the proof holds.' }),
  })
  .openapi('LogProof')
export const LogProofSchema = z.union([z.string().openapi({ description: 'A `.tlog-proof` file.' }), JsonProof])

export const ConsistencySchema = z.object({ from: z.int(), to: z.int(), proof: hashes }).openapi('ConsistencyProof')

export const TileParams = z.object({
  level: z.string().max(8).openapi({
    description: 'The level of the tile, from 0 (hashes of leaves), or `entries`.',
    example: '0',
  }),
  index: z.string().max(64).openapi({
    description: 'The index of the tile, in groups of three digits, and `.p/<width>` for a partial tile.',
    example: '000.p/1',
  }),
})
