import { vi } from 'vitest'
import { createProgram } from '../../src/cli/program.js'

export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string }

class Exit extends Error {
  readonly code: number
  constructor(code: number) {
    super(`the program ends with ${code}`)
    this.code = code
  }
}

/**
 * Runs a command of the command line in this process, and says what it printed and what it would exit with. For what a
 * process of its own adds nothing to: starting one costs a hundred times as much.
 */
export async function runCommand(args: readonly string[], environment: Record<string, string> = {}): Promise<Ran> {
  const said = { stdout: '', stderr: '' }
  const hear = (on: keyof typeof said) => (text: string | Uint8Array) => {
    said[on] += String(text)
    return true
  }
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(hear('stdout')),
    vi.spyOn(process.stderr, 'write').mockImplementation(hear('stderr')),
    vi.spyOn(process, 'exit').mockImplementation((code) => {
      throw new Exit(Number(code ?? process.exitCode ?? 0))
    }),
  ]
  const before = Object.keys(environment).map((name) => [name, process.env[name]] as const)
  Object.assign(process.env, environment)
  try {
    await (await createProgram(args)).parseAsync([...args], { from: 'user' })
    return { code: Number(process.exitCode ?? 0), ...said }
  } catch (error) {
    if (!(error instanceof Exit)) throw error
    return { code: error.code, ...said }
  } finally {
    process.exitCode = undefined
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
    for (const spy of spies) spy.mockRestore()
  }
}
