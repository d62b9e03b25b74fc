import { z } from 'zod'
import { GATEWAY_LIMITS } from '../limits.js'
import { TEMPLATES } from './templates.js'

const { catalogNamesMax, providersMax, modelsPerProviderMax, modelCharactersMax } = GATEWAY_LIMITS

const share = () => z.number().min(0).max(1)
const seconds = (most: number) => z.number().min(0.001).max(most)
const whole = (least: number, most: number) => z.int().min(least).max(most)
const costPerThousand = () => z.number().min(0).max(10_000)
const httpUrl = () =>
  z.string().refine((value) => {
    const url = URL.canParse(value) ? new URL(value) : null
    return url !== null && /^https?:$/.test(url.protocol) && url.username + url.password === ''
  }, 'must be an http or https address without user and password')

/** It stands in a header of every answer. */
const modelName = () =>
  z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'must be of visible ASCII characters')
    .max(modelCharactersMax)

const Model = z.strictObject({
  model: modelName(),
  /** Other names that it is asked for by, as a bare model. */
  aliases: z.array(modelName()).max(catalogNamesMax).default([]),
  tier: z.union([z.literal(1), z.literal(2), z.literal(3)]).default(2),
  /** USD; what is not said is taken from the registry. */
  cost_per_1k_in: costPerThousand().optional(),
  cost_per_1k_out: costPerThousand().optional(),
  max_tokens: whole(1, 100_000_000).optional(),
  /** What is not said is taken from the registry. */
  supports_temperature: z.boolean().optional(),
  supports_json_schema: z.boolean().optional(),
})

const Breaker = z.strictObject({
  failure_threshold: whole(1, 1_000).default(3),
  window_seconds: seconds(3_600).default(60),
  failure_rate: share().default(0.5),
  min_calls: whole(1, 100_000).default(10),
  recovery_seconds: seconds(3_600).default(30),
  half_open_max: whole(1, 1_000).default(1),
})

const TYPES = ['openai', 'anthropic', 'echo', ...Object.keys(TEMPLATES).filter((name) => name !== 'openai')] as const

const Provider = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 . _ -'),
  type: z.enum(TYPES as unknown as [string, ...string[]]).default('openai'),
  base_url: httpUrl().optional(),
  api_key_env: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'must be the name of a variable')
    .optional(),
  api_key: z.string().min(1).max(4_096).optional(),
  extra_headers: z
    .record(z.string().regex(/^[A-Za-z0-9-]{1,64}$/), z.string().regex(/^[\x20-\x7e]{0,1024}$/))
    .default({}),
  priority: whole(0, 1_000_000).default(1),
  model: modelName().optional(),
  models: z.array(Model).max(modelsPerProviderMax).default([]),
  circuit_breaker: Breaker.optional(),
  limits: z
    .strictObject({ requests_per_minute: whole(1, 1_000_000).optional(), max_in_flight: whole(1, 100_000).optional() })
    .default({}),
  timeout_seconds: seconds(600).optional(),
  idle_seconds: seconds(600).optional(),
  mock_failure_rate: share().optional(),
  mock_latency_ms: z.number().min(0).max(60_000).optional(),
  mock_tokens_per_second: z.number().min(0.1).max(1_000_000).optional(),
})

const STRATEGIES = ['priority', 'cost', 'latency', 'weighted', 'tier'] as const

/** The configuration as it stands in the file, with every default filled in. */
export const ConfigShape = z.strictObject({
  providers: z.array(Provider).min(1).max(providersMax),
  breaker: Breaker.prefault({}),
  policy: z
    .strictObject({
      strategy: z.enum(STRATEGIES).default('priority'),
      weights: z.strictObject({ cost: share().default(0.6), latency: share().default(0.4) }).prefault({}),
      hook: z.string().min(1).max(4_096).optional(),
    })
    .prefault({}),
  classifier: z
    .strictObject({ tier1_max: whole(0, 100).default(30), tier2_max: whole(0, 100).default(70) })
    .prefault({}),
  cache: z
    .strictObject({
      enabled: z.boolean().default(true),
      backend: z.enum(['memory', 'redis']).default('memory'),
      max_size: whole(1, 1_000_000).default(1_000),
      ttl_seconds: seconds(31_536_000).default(300),
      similarity_threshold: share().default(0.85),
    })
    .prefault({}),
  learned: z
    .strictObject({
      threshold: share().default(0.5),
      sidecar_url: httpUrl().nullable().default(null),
      sidecar_weight: share().default(0.7),
    })
    .prefault({}),
  /** When a call's usage row is committed: `queued`, after its answer; `durable`, before the last byte of it. */
  accounting: z.enum(['queued', 'durable']).default('queued'),
  server: z
    .strictObject({
      timeout_seconds: seconds(600).default(600),
      body_bytes_max: whole(1_024, GATEWAY_LIMITS.bodyBytesMax).default(GATEWAY_LIMITS.bodyBytesMax),
      attempts_max: whole(1, 20).default(GATEWAY_LIMITS.attemptsMax),
      drain_seconds: z
        .number()
        .min(0)
        .max(60)
        .default(GATEWAY_LIMITS.drainMsMax / 1_000),
    })
    .prefault({}),
})

export type ConfigText = z.output<typeof ConfigShape>
export type ProviderText = ConfigText['providers'][number]
