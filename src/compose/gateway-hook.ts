import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Hook } from '../features/gateway/serve/ask-hook.js'
import { ConfigurationError } from '../platform/configuration-error.js'

/** Loads `policy.hook`: a module, named from the configuration's folder, that exports `choose(candidates, request)`. */
export async function loadHook(configFile: string, hook: string): Promise<Hook> {
  const file = resolve(dirname(configFile), hook)
  const loaded = await load(file)
  if (typeof loaded.choose !== 'function') throw new ConfigurationError(`${file} exports no function 'choose'.`)
  const { choose } = loaded
  return (candidates, request) => choose(candidates, request) as unknown
}

async function load(file: string): Promise<{ readonly choose?: unknown }> {
  try {
    return (await import(pathToFileURL(file).href)) as { readonly choose?: unknown }
  } catch (error) {
    throw new ConfigurationError(
      `The hook ${file} cannot be loaded (${error instanceof Error ? error.name : 'unknown'}).`,
    )
  }
}
