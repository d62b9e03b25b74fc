import type { AliasKey } from './alias.js'
import { type Answers, answerOf, renderUnbound } from './resolve-snapshot.js'
import type { Keeper, Known } from './snapshots.js'

/** The body of the response, and how old it is where the database is away. */
export type Resolution = { readonly body: string; readonly staleSeconds: number | undefined }

/** What an alias means now. In memory on the warm path: no I/O, no promise. */
export function resolveAlias(answers: Keeper<Answers>, key: AliasKey): Resolution | Promise<Resolution> {
  const known = answers.get(key.projectId, key.profile, key.alias)
  return known instanceof Promise ? known.then((loaded) => lookUp(loaded, key)) : lookUp(known, key)
}

function lookUp({ content, revision, staleSeconds }: Known<Answers>, { alias, profile }: AliasKey): Resolution {
  return { body: answerOf(content, alias) ?? renderUnbound(alias, profile, revision), staleSeconds }
}
