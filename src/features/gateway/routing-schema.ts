import { z } from '@hono/zod-openapi'

const count = (description: string) => z.number().int().openapi({ description })
const ms = (description: string) => z.number().nullable().openapi({ description })

export const Backends = z.array(
  z
    .object({
      name: z.string().openapi({ description: '`provider:model`.', example: 'groq-free:llama-3.3-70b' }),
      provider: z.string(),
      model: z.string(),
      tier: count('1 for easy prompts, 3 for hard ones.'),
      priority: count('Lower comes first.'),
      status: z.enum(['healthy', 'degraded', 'down']).openapi({
        description: '`degraded`: it failed in the last 30 s. `down`: it could not be reached in the last 10 s.',
      }),
      in_flight: count('Calls that are under way there, from this instance.'),
      latency_ms: ms('Until an answer began, as a moving average; null before the first.'),
      total_requests: count('Since this instance started.'),
      total_failures: count('Of these.'),
      breaker: z.object({
        status: z.enum(['closed', 'open', 'half-open']),
        failures_in_row: z.number().int(),
        retry_in_ms: ms('Of one that is open: when it lets a call through on trial.'),
      }),
      asked_to_wait_ms: ms('What is left of a pause that the backend asked for.'),
    })
    .openapi('Backend'),
)

const usd = () => z.number().openapi({ description: 'USD.' })

export const CallStats = z
  .object({
    total_requests: z.number().int(),
    total_saved_usd: usd(),
    total_spent_usd: usd(),
    by_model: z
      .record(z.string(), z.object({ requests: z.number().int(), spent_usd: usd(), saved_usd: usd() }))
      .openapi({ description: 'By `provider:model`; of very many, the ones with the most calls.' }),
  })
  .openapi('CallStats')

const share = (description: string) => z.number().min(0).max(1).openapi({ description })

export const FeedbackBody = z
  .strictObject({
    score: share("The prompt's score: `X-LLM-Router-Score` divided by 100."),
    tier: z.union([z.literal(1), z.literal(2), z.literal(3)]).openapi({ description: 'The tier that answered.' }),
    quality: share('0 is useless, 1 is perfect.'),
  })
  .openapi('Feedback')

export const LearnedBounds = z
  .object({
    threshold: z.number().openapi({ description: '0.2 to 0.8.' }),
    tier1_max: z.number().openapi({ description: 'The highest score, of 100, that tier 1 answers.' }),
    tier2_max: z.number().openapi({ description: 'The highest score that tier 2 answers.' }),
  })
  .openapi('LearnedBounds')
