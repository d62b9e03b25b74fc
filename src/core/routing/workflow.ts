import type { Tier } from './backend.js'

/** Prompts that go to models, each with the outputs of others in it. */
export type Workflow = {
  readonly startOps: readonly string[]
  readonly endOps: readonly string[]
  /** By name, in an order in which every op comes after its inputs. */
  readonly ops: ReadonlyMap<string, WorkflowOp>
}

export type WorkflowOp = {
  readonly name: string
  /** May name `{{input}}` and every op that runs before it. */
  readonly prompt: string
  /** Undefined: as the classifier finds. */
  readonly tier: Tier | undefined
  readonly model: string | undefined
  readonly maxTokens: number | undefined
  readonly inputOps: readonly string[]
  readonly outputOps: readonly string[]
}

/** What is wrong with a workflow, and where: `ops.draft.tier`. */
export type WorkflowFault = { readonly at: string; readonly message: string }

export type WorkflowResult =
  | { readonly ok: true; readonly workflow: Workflow }
  | { readonly ok: false; readonly faults: readonly WorkflowFault[] }

export const WORKFLOW_LIMITS = {
  opsMax: 32,
  nameCharactersMax: 64,
  templateCharactersMax: 32_000,
  /** A prompt with the outputs that it names in their places. */
  promptCharactersMax: 1_000_000,
  maxTokensMax: 1_000_000,
  faultsMax: 50,
} as const

/** Stands for the input in a prompt, so no op has this name. */
export const INPUT_NAME = 'input'
