import type { ProjectId } from '../../access/principal.js'
import { READS } from '../../access/principal.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { plainJson } from '../../http/response.js'
import { AppError } from '../../platform/errors.js'
import type { ListedModel, ListedModels } from './list-models.js'
import * as schema from './schema.js'

export type ModelVerbs = {
  readonly list: (projectId: ProjectId, profile: string) => Promise<ListedModels>
  readonly find: (projectId: ProjectId, profile: string, id: string) => Promise<ListedModel | undefined>
}

const tag = 'Gateway'

export function mountModels(app: App, guards: Guards, verbs: ModelVerbs): void {
  mount(app, guards, {
    method: 'get',
    path: '/v1/models',
    tag,
    operationId: 'listGatewayModels',
    summary: 'List what may be asked for',
    description:
      'The aliases of the project (of the profile in `X-LLMRing-Profile`), and every configured model as `provider:model`, in the members of both OpenAI and Anthropic.',
    access: READS,
    errorShape: 'openai',
    responses: { 200: { description: 'All of them.', schema: schema.ModelList } },
    handle: async ({ principal: { projectId }, header }) =>
      plainJson(await verbs.list(projectId, header('x-llmring-profile')?.trim() || schema.DEFAULT_PROFILE)),
  })
  mount(app, guards, {
    method: 'get',
    path: '/v1/models/{model_id}',
    tag,
    operationId: 'getGatewayModel',
    summary: 'Show one of them',
    access: READS,
    params: schema.ModelPath,
    errorShape: 'openai',
    problems: ['model-not-found'],
    responses: { 200: { description: 'It may be asked for.', schema: schema.ModelEntry } },
    handle: async ({ principal: { projectId }, params: { model_id: id }, header }) => {
      const profile = header('x-llmring-profile')?.trim() || schema.DEFAULT_PROFILE
      const found = await verbs.find(projectId, profile, id)
      if (found === undefined) throw new AppError('model-not-found', 'Nothing of this name is served.')
      return plainJson(found)
    },
  })
}
