/** What a binding names: one model of a provider, or with `*` whichever of its models the constraints choose. */
export type Reference = { readonly provider: string; readonly model: string; readonly isWildcard: boolean }

export type ReferenceResult =
  | { readonly ok: true; readonly reference: Reference }
  | { readonly ok: false; readonly message: string }

const FORM = 'write it as provider:model, like openai:gpt-4o-mini.'

/**
 * `openai:gpt-4o-mini` or `openai:*`. The first colon ends the provider, so a model's own name may have more of them
 * (`ollama:llama3:8b`). The message of a refusal shows the right form.
 */
export function parseReference(text: string): ReferenceResult {
  const colon = text.indexOf(':')
  const provider = text.slice(0, Math.max(colon, 0))
  const model = text.slice(colon + 1)
  if (provider.trim() === '') return { ok: false, message: `'${text}' names no provider; ${FORM}` }
  if (model.trim() === '') return { ok: false, message: `'${text}' names no model; ${FORM}` }
  return { ok: true, reference: { provider, model, isWildcard: model === '*' } }
}
