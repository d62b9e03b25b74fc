import { z } from 'zod'
import { confirmRow } from './confirm.js'
import { sqlOf, type Tx } from './transact.js'

/**
 * What instances tell one another. A new kind is one more line; features subscribe by kind and see no text. Ids are
 * plain text here: the feature that hears one knows what it is.
 */
const Message = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('aliases-changed'),
    projectId: z.uuid(),
    revision: z.int().positive(),
    /** Those that changed; undefined: any of them may have. */
    profiles: z.array(z.string()).readonly().optional(),
  }),
  z.strictObject({ kind: z.literal('key-changed'), hash: z.string().regex(/^[0-9a-f]{64}$/) }),
  z.strictObject({ kind: z.literal('all-keys-changed') }),
  /** A checkpoint of this size was kept, or got cosignatures. */
  z.strictObject({ kind: z.literal('log-checkpoint'), size: z.int().min(0), witnesses: z.int().min(0) }),
])
export type Message = z.output<typeof Message>

/** What to do at a message, by kind. It must not throw: messages come on the listener's connection. */
export type MessageHandlers = {
  readonly [Kind in Message['kind']]?: (message: Extract<Message, { kind: Kind }>) => void
}

/** Tells every instance, this one too, once the transaction commits; nothing is told if it is rolled back. */
export type Announce = (tx: Tx, message: Message) => Promise<void>

/** The channel on which a schema's instances tell one another what changed. */
export const changesChannel = (schema: string): string => `${schema}_changes`

export function createAnnounce(schema: string): Announce {
  const channel = changesChannel(schema)
  return async (tx, message) => {
    confirmRow(await sqlOf(tx)`select pg_notify(${channel}, ${encodeMessage(message)})`)
  }
}

/** The text that travels. Throws for what is no message, which `decodeMessage` would not read back. */
export function encodeMessage(message: Message): string {
  return JSON.stringify(Message.parse(message))
}

/** Undefined for text that this program cannot read, such as a kind that a newer one sends. */
export function decodeMessage(text: string): Message | undefined {
  try {
    return Message.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** Gives a message to the handler of its kind, if there is one. */
export function dispatchMessage(handlers: MessageHandlers, message: Message): void {
  const handle = handlers[message.kind] as ((message: Message) => void) | undefined
  handle?.(message)
}
