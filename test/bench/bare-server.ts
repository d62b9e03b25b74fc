/**
 * The baselines, as plain as Node allows: `constant` answers the same bytes to everything, `verify` reads a body and
 * checks one Ed25519 signature with node:crypto. Prints its port.
 */
import { createPublicKey, verify } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const [mode = 'constant', argument = '{}'] = process.argv.slice(2)
const headers = { 'Content-Type': 'application/json' }

const constant = createServer((_request, response) => {
  response.writeHead(200, headers)
  response.end(argument)
})

const publicKey = () => createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: argument }, format: 'jwk' })

const verifying = () => {
  const key = publicKey()
  return createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { message, signature } = JSON.parse(Buffer.concat(chunks).toString()) as {
        message: string
        signature: string
      }
      const valid = verify(null, Buffer.from(message), key, Buffer.from(signature, 'base64url'))
      response.writeHead(200, headers)
      response.end(JSON.stringify({ valid }))
    })
  })
}

const server = mode === 'verify' ? verifying() : constant
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
