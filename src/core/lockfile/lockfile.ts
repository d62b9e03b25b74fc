/** An alias and what it is bound to. */
export type LockBinding = {
  readonly alias: string
  /** In order of preference. */
  readonly models: readonly string[]
  /** A JSON object's text in the spelling of `canonicalText`. `{}` and null are two things: the digest knows them apart. */
  readonly constraints: string | null
}

export type LockProfile = {
  /** What the profile calls itself: its key, but for files whose author copied a profile and changed the key alone. */
  readonly name: string
  readonly registryVersions: ReadonlyMap<string, number>
  /** In the order of the file, which the digest knows. */
  readonly bindings: readonly LockBinding[]
}

/** What a lockfile holds beside its profiles. Times are in the spelling of Python's `datetime.isoformat`. */
export type LockHeader = {
  readonly version: string
  readonly createdAt: string
  readonly updatedAt: string
  readonly defaultProfile: string
  /** Of `[extends]`. */
  readonly packages: readonly string[]
  /** A JSON object's text, or `null`, in the spelling of `canonicalText`. */
  readonly metadata: string
}

/** A lockfile as it was read: a file without times is one that was never published. */
export type Lockfile = Omit<LockHeader, 'createdAt' | 'updatedAt'> & {
  readonly createdAt: string | null
  readonly updatedAt: string | null
  readonly profiles: ReadonlyMap<string, LockProfile>
}

export type LockfileFormat = 'toml' | 'json'
