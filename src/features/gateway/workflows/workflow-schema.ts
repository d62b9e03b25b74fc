import { z } from '@hono/zod-openapi'
import { GATEWAY_LIMITS } from '../limits.js'

const { workflowBytesMax, workflowInputCharactersMax } = GATEWAY_LIMITS

export const WorkflowBody = z
  .strictObject({
    input: z.string().max(workflowInputCharactersMax).openapi({ description: 'What `{{input}}` stands for.' }),
    workflow: z.string().min(1).max(workflowBytesMax).openapi({
      description:
        'YAML: `start_ops`, `end_ops`, and `ops` by name, each with `prompt`, and if wanted `tier` (1 to 3), `model`, `max_tokens`, `input_ops`, `output_ops`.',
    }),
  })
  .openapi('WorkflowRequest')

export const WorkflowResult = z
  .object({
    outputs: z.record(z.string(), z.string()).openapi({ description: 'By op.' }),
    routing: z
      .record(z.string(), z.object({ model: z.string(), tier: z.number().int(), attempts: z.number().int() }))
      .openapi({ description: 'Who answered each op.' }),
    costs: z.record(z.string(), z.number()).openapi({ description: 'USD, by op.' }),
    total_cost_usd: z.number(),
    total_ms: z.number().int(),
    final_output: z.string().nullable().openapi({
      description: 'The output of the end op; of several, each under its name. null if one of them has none.',
    }),
    failed: z.record(z.string(), z.string()).openapi({ description: 'Why each op without an output has none.' }),
  })
  .openapi('WorkflowResult')
