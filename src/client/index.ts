import type { AliasClient } from './alias-client.js'
import { createApi, type ServerOptions } from './api.js'
import { createClient } from './create-client.js'
import type { FollowState } from './follow.js'
import { createServerSource } from './server-source.js'

export type {
  AliasBinding,
  AliasClient,
  BindOptions,
  InitOptions,
  ProfileOption,
  RequireOptions,
} from './alias-client.js'
export { AliasError, type AliasErrorCode, type Problem } from './alias-error.js'
export type { ServerOptions } from './api.js'
export type { FollowState } from './follow.js'

export type ConnectOptions = ServerOptions & {
  /** Default: `default`. */
  readonly profile?: string
  /** Default true: what was read is kept current, over a connection that stays open until `close`. */
  readonly follow?: boolean
  /** Called after aliases of a profile were read or have changed. */
  readonly onChange?: (profile: string, revision: number) => void
  /** Called with every turn of the connection: how changes come, or why they do not. */
  readonly onState?: (profile: string, state: FollowState) => void
}

/**
 * Aliases of a server. Nothing is sent before the first call; a profile is read with its first use, and followed from
 * then on. Needs `fetch` and nothing else, so it runs in a browser as well.
 */
export function connectServer({ profile = 'default', follow = true, ...options }: ConnectOptions): AliasClient {
  const nothing = () => undefined
  const { onChange = nothing, onState = nothing } = options
  const source = { api: createApi(options), profile, follows: follow, onChange, onState, random: Math.random }
  return createClient(createServerSource(source))
}
