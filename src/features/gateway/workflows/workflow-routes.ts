import { WRITES } from '../../../access/principal.js'
import { type App, type Guards, mount } from '../../../http/endpoint.js'
import { jsonResponse } from '../../../http/response.js'
import type { WorkflowAnswer, WorkflowCaller } from './serve-workflow.js'
import { WorkflowBody, WorkflowResult } from './workflow-schema.js'

export type WorkflowVerbs = {
  readonly run: (
    caller: WorkflowCaller,
    sent: { readonly input: string; readonly text: string },
  ) => Promise<WorkflowAnswer>
  readonly callMsMax: number
}

const EXAMPLE = `start_ops: [draft]
end_ops: [refine]
ops:
  draft: { prompt: 'Answer: {{input}}', tier: 1, output_ops: [refine] }
  refine: { prompt: 'Make this shorter: {{draft}}', tier: 2, input_ops: [draft] }
`

export function mountWorkflows(app: App, guards: Guards, verbs: WorkflowVerbs): void {
  mount(app, guards, {
    method: 'post',
    path: '/v1/workflows',
    tag: 'Gateway',
    operationId: 'runWorkflow',
    summary: 'Run prompts that build on each other',
    description:
      'Each op is a call with a usage row of its own; independent ones run at the same time. A prompt may name `{{input}}` and every op that runs before it; the outputs of its `input_ops` that it does not name are put before it, labelled. The workflow is checked whole before anything runs: both directions of every edge, cycles, what is unknown or out of reach. An op that fails fails what depends on it. All share one deadline and one budget of attempts.',
    access: WRITES,
    problems: ['upstream-failed', 'upstream-unavailable'],
    body: WorkflowBody,
    bodyExample: { input: 'Why is the sky blue?', workflow: EXAMPLE },
    responseMsMax: verbs.callMsMax,
    responses: {
      200: { description: 'What was answered, and why what is missing is missing.', schema: WorkflowResult },
    },
    handle: async ({ principal: { projectId, keyId }, body, header, signal, park }) => {
      park()
      const profile = header('x-llmring-profile') ?? 'default'
      const sent = { input: body.input, text: body.workflow }
      const caller = { projectId, keyId, profile, signal: signal(), traceparent: header('traceparent') }
      return jsonResponse(await verbs.run(caller, sent))
    },
  })
}
