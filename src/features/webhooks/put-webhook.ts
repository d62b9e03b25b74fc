import type { ProjectId } from '../../access/principal.js'
import type { Transact } from '../../db/transact.js'
import { deadline } from '../../platform/deadline.js'
import { AppError } from '../../platform/errors.js'
import { WEBHOOK_LIMITS } from './limits.js'
import { faultOfUrl } from './receiver-url.js'
import type { ResolveHost } from './resolve-host.js'
import type { Vault } from './seal-secret.js'
import { makeSecret, readSecret, SECRET_RULE } from './secret-text.js'
import type { WebhookStore } from './store.js'
import type { Webhook } from './webhook.js'

export type PutDeps = {
  readonly transact: Transact
  readonly store: Pick<WebhookStore, 'set'>
  readonly vault: Pick<Vault, 'seal'>
  readonly resolveHost: ResolveHost
  /** Whether private addresses may be sent to, and by plain HTTP. */
  readonly privateAllowed: boolean
}

export type PutInput = {
  readonly projectId: ProjectId
  readonly keyId: string | null
  readonly url: string
  readonly secret: string | null
}

/** `secret`: the one that was made here; null if one was sent. */
export type PutResult = { readonly webhook: Webhook; readonly secret: string | null }

/**
 * Sets a project's webhook. Throws `validation-failed` for a URL that may not be sent to and for a text that is not a
 * secret, and `webhooks-not-configured` if there is nothing to encrypt the secret with.
 */
export async function putWebhook(deps: PutDeps, input: PutInput): Promise<PutResult> {
  const made = input.secret === null ? makeSecret() : null
  const bytes = readSecret(input.secret ?? made ?? '')
  if (bytes === undefined) throw invalid('/secret', SECRET_RULE)
  await checkReceiver(deps, input.url)
  const secret = deps.vault.seal(input.projectId, bytes)
  if (secret === undefined) {
    const detail = 'Webhooks are not configured: the operator has to set LLMRING_KEY_PEPPER.'
    throw new AppError('webhooks-not-configured', detail)
  }
  const { projectId, keyId } = input
  const url = new URL(input.url).href
  const webhook = await deps.transact((tx) => deps.store.set(tx, { projectId, keyId, url, secret }))
  return { webhook, secret: made }
}

/** The address is looked up again for every attempt; here it is for the sake of whoever mistyped it. */
async function checkReceiver({ privateAllowed, resolveHost }: PutDeps, url: string): Promise<void> {
  const fault = faultOfUrl(url, privateAllowed)
  if (fault !== undefined) throw invalid('/url', fault)
  if (privateAllowed) return
  const { checkMsMax } = WEBHOOK_LIMITS
  const late = () => invalid('/url', 'its name could not be looked up in time')
  const resolved = await deadline(resolveHost(new URL(url).hostname), checkMsMax, late)
  if (!resolved.ok) throw invalid('/url', resolved.reason)
}

function invalid(pointer: string, message: string): AppError {
  return new AppError('validation-failed', `${pointer}: ${message}`, { errors: [{ pointer, message }] })
}
