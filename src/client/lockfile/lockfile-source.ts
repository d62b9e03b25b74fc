import { type Lockfile, type LockfileFormat, renderLockfile } from '../../core/lockfile/index.js'
import { parseReference, readConstraintsText, resolveCandidates } from '../../core/routing/index.js'
import type { AliasBinding, AliasSource, InitOptions } from '../alias-client.js'
import { AliasError } from '../alias-error.js'
import { CLIENT_LIMITS } from '../limits.js'
import { suggestBindings } from '../suggest-bindings.js'
import { constraintsOf, constraintsText, newLockfile, withBinding, withoutBinding } from './edit-lockfile.js'
import { readLockfile } from './lockfile-text.js'
import type { Registry } from './registry.js'

/** Where a lockfile is kept. */
export type LockfileStore = {
  /** For messages: a path. */
  readonly where: string
  readonly format: LockfileFormat
  /** Its text; undefined if there is none. */
  read(): Promise<string | undefined>
  /** Something that is another after every change; undefined if there is no lockfile. Cheap. */
  mark(): Promise<string | undefined>
  /** Replaces what was read; false, and nothing is written, if there is something else by now. */
  replace(text: string, expected: string | undefined): Promise<boolean>
}

export type LockfileSourceOptions = {
  readonly store: LockfileStore
  readonly registry: Registry
  /** Default: the lockfile's. */
  readonly profile: string | undefined
  /** The providers of a new lockfile's models, if it is not told which. */
  readonly providers: readonly string[]
  readonly now: () => Date
}

type Read = {
  readonly mark: string | undefined
  readonly lockfile: Lockfile
  /** Of each profile, by name, in the order of the file. */
  readonly bindings: ReadonlyMap<string, ReadonlyMap<string, AliasBinding>>
}

/** Aliases of a lockfile, which is read again when it has changed. */
export function createLockfileSource(options: LockfileSourceOptions): AliasSource {
  const { store, now } = options
  let last: Read | undefined
  const current = async (): Promise<Read> => {
    const mark = await store.mark()
    if (last !== undefined && last.mark === mark) return last
    const text = await store.read()
    if (text === undefined) throw missing(store)
    const { lockfile } = readLockfile(text, store)
    last = { mark, lockfile, bindings: bindingsOf(lockfile) }
    return last
  }
  return {
    where: store.where,
    profileOf: async ({ profile = options.profile } = {}) => profile ?? (await current()).lockfile.defaultProfile,
    find: async (profile, alias) => (await current()).bindings.get(profile)?.get(alias),
    list: async (profile) => [...((await current()).bindings.get(profile)?.values() ?? [])],
    candidates: (binding) => candidatesOf(options.registry, binding),
    bind: async (binding) => {
      const { profile, alias, models } = binding
      const constraints = constraintsText(binding.constraints)
      await edit(store, (before) => withBinding(before, profile, { alias, models, constraints }, now()))
      return binding
    },
    unbind: (profile, alias) => edit(store, (before) => withoutBinding(before, profile, alias, now())),
    init: (given) => init(options, given),
    clear: () => {
      last = undefined
    },
    close: () => Promise.resolve(),
  }
}

/**
 * Changes what is in a lockfile now; another program may change it at the same moment. Says whether anything was
 * written: nothing is if there is no change. What is written is read first, since a name that no lockfile may have must
 * not spoil the file.
 */
export async function edit(store: LockfileStore, change: (before: Lockfile) => Lockfile | undefined): Promise<boolean> {
  for (let attempt = 0; attempt < CLIENT_LIMITS.lockfileAttemptsMax; attempt++) {
    const text = await store.read()
    if (text === undefined) throw missing(store)
    const after = change(readLockfile(text, store).lockfile)
    if (after === undefined) return false
    const next = renderLockfile(after, store.format)
    readLockfile(next, store)
    if (await store.replace(next, text)) return true
  }
  throw new AliasError('lockfile-busy', `${store.where} is changed by something else all the time.`)
}

async function init(
  { store, registry, now, ...options }: LockfileSourceOptions,
  { profile = options.profile ?? 'default', bindings, providers = options.providers, force }: InitOptions,
): Promise<readonly AliasBinding[]> {
  const before = await store.read()
  if (before !== undefined && force !== true) throw new AliasError('lockfile-exists', `${store.where} exists.`)
  const given = bindings ?? suggestBindings(await indexesOf(registry, providers))
  const bound = given.map((binding) => ({ ...binding, constraints: null }))
  const text = renderLockfile(newLockfile(profile, bound, now()), store.format)
  readLockfile(text, store)
  const isMade = await store.replace(text, before)
  if (!isMade) throw new AliasError('lockfile-exists', `${store.where} was made by something else meanwhile.`)
  return bound.map((binding) => ({ profile, ...binding }))
}

const missing = ({ where }: LockfileStore) =>
  new AliasError('lockfile-missing', `There is no lockfile ${where}; \`llmring-server lock init\` makes one.`)

function bindingsOf({ profiles }: Lockfile): Read['bindings'] {
  return new Map(
    [...profiles].map(([profile, { bindings }]) => [
      profile,
      new Map(
        bindings.map(({ alias, models, constraints }) => [
          alias,
          { profile, alias, models, constraints: constraintsOf(constraints) },
        ]),
      ),
    ]),
  )
}

async function candidatesOf(registry: Registry, { models, constraints }: AliasBinding) {
  const providers = models.flatMap((model) => {
    const parsed = parseReference(model)
    return parsed.ok && parsed.reference.isWildcard ? [parsed.reference.provider] : []
  })
  if (providers.length === 0) return { models, reasons: [] }
  const facts = await registry.facts(providers)
  const read = readConstraintsText(constraintsText(constraints))
  const { candidates, unresolved } = resolveCandidates(models, read.constraints, facts)
  return {
    models: candidates.map(({ model }) => model),
    reasons: unresolved.map(({ reference, reason }) => `'${reference}': ${reason}`),
  }
}

async function indexesOf(registry: Registry, providers: readonly string[]) {
  const facts = await registry.facts(providers)
  return providers.map((provider) => facts(provider.toLowerCase())).filter((index) => index !== undefined)
}
