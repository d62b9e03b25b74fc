import { AliasError } from './alias-error.js'

const FORM = 'write it as provider:model, like openai:gpt-4o-mini'

/** Models in order of preference: a list, or a text like `a:b,c:d`. Throws `bad-binding` for one without its provider. */
export function readModels(given: string | readonly string[]): readonly string[] {
  const models = (typeof given === 'string' ? given.split(',') : given).map((model) => model.trim())
  const bad = models.find((model) => !/^[^:]+:./s.test(model))
  if (bad !== undefined) throw new AliasError('bad-binding', `'${bad}' names no provider; ${FORM}.`)
  if (models.length === 0) throw new AliasError('bad-binding', `There is no model to bind; ${FORM}.`)
  return models
}
