import type { AliasBinding } from '../../client/alias-client.js'
import type { AliasDiff } from '../../client/lockfile/diff-lockfiles.js'

type Content = Pick<AliasBinding, 'models' | 'constraints'>

/** `summarizer → openai:gpt-4o-mini (+ 2 fallbacks)` */
export function showAlias({ alias, models: [first, ...others] }: Pick<AliasBinding, 'alias' | 'models'>): string {
  const more = others.length === 0 ? '' : ` (+ ${others.length} fallback${others.length === 1 ? '' : 's'})`
  return `${alias} → ${first}${more}`
}

/** The same with every fallback and constraint in a line of its own. */
export function showWhole(binding: AliasBinding): string {
  const [first, ...others] = binding.models
  const lines = [`${binding.alias} → ${first}`, ...others.map((model) => `  then ${model}`)]
  const constraints = Object.entries(binding.constraints ?? {})
  for (const [name, value] of constraints)
    lines.push(`  ${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return lines.join('\n')
}

/** One line a difference: `+`, `~` or `-`, the alias, and its profile if it is not the only one. */
export function showDiff(diff: AliasDiff): string[] {
  const all = [...diff.added, ...diff.changed, ...diff.removed]
  const isOne = new Set(all.map(({ profile }) => profile)).size < 2
  const name = ({ profile, alias }: { profile: string; alias: string }) => (isOne ? alias : `${profile}/${alias}`)
  return [
    ...diff.added.map((one) => `+ ${name(one)} → ${meaning(one)}`),
    ...diff.changed.map((one) => `~ ${name(one)} → ${meaning(one.after)} (was ${meaning(one.before)})`),
    ...diff.removed.map((one) => `- ${name(one)} (was ${meaning(one)})`),
  ]
}

function meaning({ models, constraints }: Content): string {
  const limits = constraints === null ? '' : ` ${JSON.stringify(constraints)}`
  return `${models.join(', ')}${limits}`
}
