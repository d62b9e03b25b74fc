import { type Program, startProgram } from './program.js'

export type RunningWitness = Program & { readonly url: string; readonly keyText: string }

/** `llmring-server witness` on a free port of this machine, once it answers. Rejects if it ends instead. */
export async function startWitness(
  cwd: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<RunningWitness> {
  const program = startProgram(['witness', '--listen', '127.0.0.1:0', ...args], cwd, environment)
  const found = await new Promise<RegExpExecArray>((resolve, reject) => {
    const look = () => {
      const match = /answers at (\S+)\n {2}key (\S+)\n/.exec(program.stderr())
      if (match !== null) resolve(match)
    }
    program.child.stderr?.on('data', look)
    void program.ended.then((end) => reject(new Error(`witness ended with ${end.code ?? end.signal}: ${end.stderr}`)))
  })
  return { ...program, url: found[1] ?? '', keyText: found[2] ?? '' }
}

/** Submits a checkpoint. `status` is null if the connection broke. */
export async function submit(url: string, body: Uint8Array | string) {
  const response = await fetch(`${url}/add-checkpoint`, { method: 'POST', body: Buffer.from(body) }).catch(() => null)
  if (response === null) return { status: null, type: null, text: '' }
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() }
}
