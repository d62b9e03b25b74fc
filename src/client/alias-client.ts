/** What an alias is bound to. */
export type AliasBinding = {
  readonly profile: string
  readonly alias: string
  /** `provider:model`, in order of preference; `provider:*` where constraints choose. */
  readonly models: readonly string[]
  readonly constraints: Readonly<Record<string, unknown>> | null
}

export type ProfileOption = {
  /** Default: the client's. */
  readonly profile?: string | undefined
}

export type BindOptions = ProfileOption & {
  /** `min_context` in tokens, `max_cost` in USD per million input tokens, `requires` as names of capabilities. */
  readonly constraints?: Readonly<Record<string, unknown>> | null
  /** A server keeps it beside the alias; a lockfile has no place for it. */
  readonly metadata?: Readonly<Record<string, unknown>> | null
  /** A server keeps it in the alias's history. */
  readonly note?: string
}

export type InitOptions = ProfileOption & {
  /** Default: aliases for common tasks, bound to models of the registry. */
  readonly bindings?: readonly { readonly alias: string; readonly models: readonly string[] }[]
  /** The providers of the default's models, in order of preference. Default: all that the registry has. */
  readonly providers?: readonly string[]
  /** Replaces what is there. */
  readonly force?: boolean
}

export type RequireOptions = ProfileOption & {
  /** Who needs the aliases; begins the error's message. */
  readonly context?: string
}

/** Aliases of a lockfile or of a server: whoever resolves need not know which. Everything rejects with `AliasError`. */
export interface AliasClient {
  /**
   * The model to call first. A name that is bound means what it is bound to; another one that is a `provider:model`
   * means itself. Rejects with `alias-not-found`, or `no-candidate` if it is bound to nothing that can be used.
   */
  resolveAlias(alias: string, options?: ProfileOption): Promise<string>
  /** The same, and its fallbacks, in order of preference. */
  resolveCandidates(alias: string, options?: ProfileOption): Promise<readonly string[]>
  /** Whether the name is bound. Never rejects: what cannot be known is not bound. */
  hasAlias(alias: string, options?: ProfileOption): Promise<boolean>
  /** Rejects with `aliases-missing`, which names the context, every alias that is not bound, and where it looked. */
  requireAliases(aliases: readonly string[], options?: RequireOptions): Promise<void>
  /** Binds an alias, or replaces what it was bound to. Models in order of preference; a text may name several, `a:b,c:d`. */
  bindAlias(alias: string, models: string | readonly string[], options?: BindOptions): Promise<AliasBinding>
  /** Whether it was bound. */
  unbindAlias(alias: string, options?: ProfileOption & { readonly note?: string }): Promise<boolean>
  listAliases(options?: ProfileOption): Promise<readonly AliasBinding[]>
  /** Makes a lockfile, or fills an empty profile of a server. Rejects with `lockfile-exists` unless it is forced. */
  initLockfile(options?: InitOptions): Promise<readonly AliasBinding[]>
  /** Forgets everything that was read: the next call reads anew. */
  clearAliasCache(): void
  /** Ends connections and timers. What was read may still be resolved. */
  close(): Promise<void>
}

/** What a client asks of a lockfile or a server. */
export type AliasSource = {
  /** For messages: a path or an address. */
  readonly where: string
  profileOf(options: ProfileOption | undefined): Promise<string>
  find(profile: string, alias: string): Promise<AliasBinding | undefined>
  list(profile: string): Promise<readonly AliasBinding[]>
  /** The models that a binding stands for now, wildcards resolved, and why others are left out. */
  candidates(
    binding: AliasBinding,
  ): Promise<{ readonly models: readonly string[]; readonly reasons: readonly string[] }>
  bind(binding: AliasBinding, options: Pick<BindOptions, 'metadata' | 'note'>): Promise<AliasBinding>
  unbind(profile: string, alias: string, note: string | undefined): Promise<boolean>
  init(options: InitOptions): Promise<readonly AliasBinding[]>
  clear(): void
  close(): Promise<void>
}
