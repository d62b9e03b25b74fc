import { MANAGES, type ProjectId, READS, WRITES } from '../../access/principal.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { jsonResponse } from '../../http/response.js'
import { BUDGET_LIMITS } from './limits.js'
import type { PutInput } from './put-budgets.js'
import { renderBudget } from './render-budget.js'
import * as schema from './schema.js'
import type { ShownBudget } from './show-budgets.js'

export type BudgetVerbs = {
  readonly put: (input: PutInput) => Promise<void>
  readonly show: (projectId: ProjectId) => Promise<readonly ShownBudget[]>
  /** Answers how many there were. */
  readonly remove: (projectId: ProjectId) => Promise<number>
}

const shared = { path: '/api/v1/budgets', tag: 'Usage' } as const

export function mountBudgets(app: App, guards: Guards, verbs: BudgetVerbs): void {
  const list = async (projectId: ProjectId) =>
    jsonResponse({ budgets: (await verbs.show(projectId)).map(renderBudget) })
  mount(app, guards, {
    ...shared,
    method: 'put',
    operationId: 'putBudgets',
    summary: "Set the project's budgets, all at once",
    description:
      'In place of the ones before; an empty list removes them. They inform and block no call: each threshold that is reached is noticed within seconds, and told to the webhook once a period as `{"type":"budget.threshold","timestamp":…,"data":{"project_id":…,"budget":{…},"period_start":…,"period_end":…,"threshold":80,"spent":"…"}}`. A budget that is sent again with the same amount, alias, profile, period and tz stays the same one.',
    access: WRITES,
    body: schema.PutBody,
    bodyBytesMax: BUDGET_LIMITS.bodyBytesMax,
    bodyExample: { budgets: [{ amount: '250.00', period: 'month', tz: 'Europe/Berlin' }] },
    responses: { 200: { description: 'The budgets, and how they stand.', schema: schema.BudgetListSchema } },
    handle: async ({ principal: { projectId, keyId }, body }) => {
      const budgets = body.budgets.map(({ alias, profile, tz, ...terms }) => ({
        ...terms,
        alias: alias ?? null,
        profile: profile ?? null,
        zone: tz,
      }))
      await verbs.put({ projectId, keyId, budgets })
      return list(projectId)
    },
  })
  mount(app, guards, {
    ...shared,
    method: 'get',
    operationId: 'listBudgets',
    summary: 'List the budgets: what is spent of each in its period, and what is left',
    description: 'Sums are exact, and hold what was just recorded.',
    access: READS,
    turns: 'read',
    responses: { 200: { description: 'In the order in which they were set.', schema: schema.BudgetListSchema } },
    handle: async ({ principal }) => list(principal.projectId),
  })
  mount(app, guards, {
    ...shared,
    method: 'delete',
    operationId: 'deleteBudgets',
    summary: 'Delete all budgets',
    access: MANAGES,
    responses: { 200: { description: 'How many there were.', schema: schema.Deleted } },
    handle: async ({ principal }) => jsonResponse({ deleted: await verbs.remove(principal.projectId) }),
  })
}
