import { BlockList, isIP } from 'node:net'

/**
 * What is not the public Internet (IANA special-purpose registries), and what is public by its number but serves a
 * cloud's metadata: 168.63.129.16 is Azure's. Those of other clouds are link-local, shared or unique local already.
 */
const NOT_PUBLIC_IPV4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4', '168.63.129.16/32'],
] as const

/** All global unicast; what lies outside of it (loopback, link-local, mapped, NAT64, multicast, …) is not public. */
const GLOBAL_IPV6 = ['2000::/3'] as const
/** Protocol assignments (Teredo among them), documentation, and 6to4, which carries an IPv4 address. */
const NOT_PUBLIC_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'] as const

const notPublicIpv4 = listOf(NOT_PUBLIC_IPV4, 'ipv4')
const globalIpv6 = listOf(GLOBAL_IPV6, 'ipv6')
const notPublicIpv6 = listOf(NOT_PUBLIC_IPV6, 'ipv6')

/** Whether a text is an address of the public Internet. */
export function isPublicAddress(address: string): boolean {
  const kind = address.includes('%') ? 0 : isIP(address)
  if (kind === 4) return !notPublicIpv4.check(address, 'ipv4')
  return kind === 6 && globalIpv6.check(address, 'ipv6') && !notPublicIpv6.check(address, 'ipv6')
}

function listOf(subnets: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  for (const subnet of subnets) {
    const [network = '', bits = ''] = subnet.split('/')
    list.addSubnet(network, Number(bits), family)
  }
  return list
}
