import type { z } from 'zod'
import { GATEWAY_LIMITS } from '../limits.js'
import { ConfigShape, type ConfigText } from './config-shape.js'
import { nestConfig } from './flat-config.js'
import { openProviders, type Provider } from './providers.js'
import { readYaml } from './read-yaml.js'

/** A variable of the environment, or undefined. */
export type ReadVariable = (name: string) => string | undefined

export type GatewayConfig = Omit<ConfigText, 'providers'> & { readonly providers: readonly Provider[] }

export type GatewayConfigResult =
  | { readonly ok: true; readonly config: GatewayConfig }
  | { readonly ok: false; readonly faults: readonly string[] }

/**
 * Reads the gateway's configuration, a YAML text. All faults come together, one line each; none repeats a value, which
 * may be a key.
 */
export function readGatewayConfig(text: string, variable: ReadVariable): GatewayConfigResult {
  const plain = readYaml(text, GATEWAY_LIMITS.configBytesMax, GATEWAY_LIMITS.configTokensMax)
  if (!plain.ok) return refused(plain.faults)
  const faults: string[] = []
  const expanded = expand(plain.value, variable, '', faults)
  return faults.length > 0 ? refused([...faults, ...shapeFaults(expanded)]) : checkConfig(expanded, variable)
}

const shapeFaults = (value: unknown): readonly string[] =>
  ConfigShape.safeParse(nestConfig(value)).error?.issues.map(faultOf) ?? []

/** The same of a configuration that was not read from a text. */
export function checkConfig(value: unknown, variable: ReadVariable): GatewayConfigResult {
  const parsed = ConfigShape.safeParse(nestConfig(value))
  if (!parsed.success) return refused(parsed.error.issues.map(faultOf))
  const { providers, faults: found } = openProviders(parsed.data, variable)
  return found.length > 0 ? refused(found) : { ok: true, config: { ...parsed.data, providers } }
}

const refused = (faults: readonly string[]): GatewayConfigResult => ({
  ok: false,
  faults: faults.slice(0, GATEWAY_LIMITS.faultsShownMax),
})

/** `$NAME` and `${NAME}` in texts; `$$` is a dollar. */
function expand(value: unknown, variable: ReadVariable, path: string, faults: string[]): unknown {
  if (typeof value === 'string') {
    return value.replace(/\$(?:\$|([A-Z_][A-Z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})/g, (all, plain, braced) => {
      const name: string | undefined = plain ?? braced
      if (name === undefined) return all.slice(1)
      const found = variable(name)
      if (found === undefined || found === '') faults.push(`${path}: the variable ${name} is not set`)
      return found ?? ''
    })
  }
  if (Array.isArray(value)) return value.map((item, index) => expand(item, variable, `${path}[${index}]`, faults))
  if (typeof value !== 'object' || value === null) return value
  const prefix = path === '' ? '' : `${path}.`
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, expand(member, variable, prefix + name, faults)]),
  )
}

function faultOf(issue: z.core.$ZodIssue): string {
  const path = issue.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('')
  const what = issue.code === 'unrecognized_keys' ? `knows no ${issue.keys.join(', ')}` : issue.message
  return `${path.replace(/^\./, '') || 'the file'}: ${what}`
}
