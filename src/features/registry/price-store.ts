import { and, asc, desc, eq, isNotNull, like, min } from 'drizzle-orm'
import type { Orm } from '../../db/orm.js'
import { registryFiles } from '../../db/tables/registry.js'

/** One content of a provider's version. `firstSeenAt`: when it was first fetched, in milliseconds since the epoch. */
type SeenVersion = {
  readonly version: number
  readonly sha256: string
  readonly path: string
  readonly firstSeenAt: number | null
}
export type PriceVersions = {
  /** The newest of a provider, oldest first, each once, wherever it was fetched from. */
  list(provider: string, versionsMax: number): Promise<SeenVersion[]>
  body(path: string, sha256: string): Promise<Uint8Array<ArrayBuffer> | undefined>
  /** The versions of which the archived file is kept. */
  archived(provider: string): Promise<number[]>
}

export function createPriceVersions(orm: Orm): PriceVersions {
  const { provider: ofProvider, providerVersion, sha256: digest, path: at, firstFetchedAt } = registryFiles
  return {
    list: async (provider, versionsMax) => {
      const rows = await orm
        .select({ version: providerVersion, sha256: digest, path: min(at), firstSeenAt: min(firstFetchedAt) })
        .from(registryFiles)
        .where(and(eq(ofProvider, provider), isNotNull(providerVersion)))
        .groupBy(providerVersion, digest)
        .orderBy(desc(providerVersion), desc(min(firstFetchedAt)))
        .limit(versionsMax)
      return rows.reverse().map((row) => ({
        version: row.version ?? 0,
        sha256: row.sha256,
        path: row.path ?? '',
        firstSeenAt: row.firstSeenAt?.getTime() ?? null,
      }))
    },
    body: async (path, sha256) => {
      const [row] = await orm
        .select({ body: registryFiles.body })
        .from(registryFiles)
        .where(and(eq(at, path), eq(digest, sha256)))
      return row === undefined ? undefined : new Uint8Array(row.body)
    },
    archived: async (provider) => {
      const rows = await orm
        .selectDistinct({ version: providerVersion })
        .from(registryFiles)
        .where(and(eq(ofProvider, provider), like(at, `${provider}/v/%`)))
        .orderBy(asc(providerVersion))
      return rows.flatMap(({ version }) => version ?? [])
    },
  }
}
