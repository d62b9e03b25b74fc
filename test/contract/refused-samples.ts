import { expect } from 'vitest'
import { type Answer, type Ask, type Contract, keyFor } from './open-contract.js'
import type { Operation } from './operations.js'
import type { Sample } from './samples.js'

/** A request as the sample says, but for what is to be wrong with it. */
export function askWith(contract: Contract, operation: Operation, sample: Sample, wrong: Ask): Promise<Answer> {
  const { json } = sample
  const right = {
    method: operation.method,
    key: sample.key ?? keyFor(operation, contract.ours),
    ...(json === undefined ? {} : { json }),
  }
  return contract.ask(sample.path, { ...right, ...wrong })
}

/** The document has to name the status of this answer. */
export function expectDeclared(operation: Operation, answer: Answer): void {
  expect(Object.keys(operation.declared.responses)).toContain(String(answer.status))
}
