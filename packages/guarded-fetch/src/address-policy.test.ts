import { describe, expect, it } from 'vitest'
import { createAddressPolicy } from './address-policy.ts'

describe('createAddressPolicy', () => {
  const policy = createAddressPolicy([])

  it.each(['8.8.8.8', '1.1.1.1', '172.15.0.1', '2606:4700:4700::1111', '::ffff:8.8.8.8'])(
    'lets the public address %s through',
    (address) => {
      expect(policy.allowsAddress(address)).toBe(true)
    },
  )

  it.each([
    ['loopback', ['127.0.0.1', '127.255.255.254', '::1', '::ffff:127.0.0.1', '::127.0.0.1']],
    ['unspecified', ['0.0.0.0', '0.1.2.3', '::']],
    ['private', ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd00:ec2::254', 'fec0::1']],
    [
      'link-local and metadata',
      ['169.254.169.254', 'fe80::1', 'fe80::1%eth0', '100.100.100.200', '168.63.129.16', '192.0.0.192'],
    ],
    ['carrier NAT', ['100.64.0.1', '100.127.255.255']],
    ['multicast and broadcast', ['224.0.0.1', '239.255.255.255', 'ff02::1', '255.255.255.255']],
    ['NAT64 and tunnels', ['64:ff9b::7f00:1', '64:ff9b:1::a00:1', '2002:7f00:1::', '2001::1']],
    [
      'reserved and documentation',
      ['192.0.2.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '240.0.0.1', '2001:db8::1', '100::1', '4000::1'],
    ],
    ['no address at all', ['', 'localhost', '1.2.3.4.5']],
  ])('refuses %s', (_, addresses) => {
    expect(addresses.filter((address) => policy.allowsAddress(address))).toEqual([])
  })

  it('opens the networks of the operator and nothing beside them', () => {
    const open = createAddressPolicy(['192.168.1.0/24', 'fd00::/8'])
    expect(
      ['192.168.1.7', '::ffff:192.168.1.7', '192.168.2.7', 'fd12::1', 'fe80::1'].map((a) => open.allowsAddress(a)),
    ).toEqual([true, true, false, true, false])
  })

  it('opens one port of one host', () => {
    const open = createAddressPolicy(['Files.Lan:8080', '[::1]:90', '127.0.0.1:80'])
    expect(open.allowsHost('files.lan', 8080)).toBe(true)
    expect(open.allowsHost('files.lan', 80)).toBe(false)
    expect(open.allowsHost('[::1]', 90)).toBe(true)
    expect(open.allowsHost('127.0.0.1', 80)).toBe(true)
  })

  it.each(['files.lan', '10.0.0.0/33', 'http://files.lan:80', ':80', 'a/b:80'])(
    'names the entry %s that it cannot read',
    (entry) => {
      expect(() => createAddressPolicy([entry])).toThrow(
        new TypeError(`allowPrivate: "${entry}" is neither host:port nor a network such as 192.168.1.0/24`),
      )
    },
  )
})
