import type { ProjectId } from '../../access/principal.js'
import type { JsonObject } from '../../http/body/json-object.js'

/** What a caller wants an alias to mean. */
export type Binding = {
  readonly profile: string
  readonly alias: string
  /** `models` (in order of preference, never empty), `constraints` and `metadata`, as the text of a JSON object. */
  readonly content: string
}

/** An alias as it is stored. */
export type Alias = {
  readonly projectId: ProjectId
  readonly profile: string
  readonly alias: string
  /** In order of preference; the first is the model. Never empty. */
  readonly models: readonly [string, ...string[]]
  readonly constraints: JsonObject | null
  readonly metadata: JsonObject | null
  /** Counts within its project. */
  readonly id: number
  /** The project's revision that last wrote it. */
  readonly revision: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

export type AliasKey = { readonly projectId: ProjectId; readonly profile: string; readonly alias: string }

/** Who writes: every write leaves its key in the history. */
export type Writer = { readonly projectId: ProjectId; readonly keyId: string | null }
